//go:build !race

package realtest

const underRace = false
