//go:build race

package realtest

// underRace: the tests are built with the race detector, and so is the program that they run.
const underRace = true
