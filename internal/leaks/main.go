// Leaks looks in what the tests have printed for the secrets that they use (A7). Every secret of a
// test holds the same mark, so that it can be found in all forms of it.
//
//	go test -v ./... | tee test.log; go run ./internal/leaks test.log
package main

import (
	"bufio"
	"fmt"
	"os"

	"popsync/internal/secret/secrettest"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: leaks FILE")
		os.Exit(64)
	}
	found, lines, err := search(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(74)
	}
	for _, l := range found {
		fmt.Println(l)
	}
	if len(found) > 0 {
		os.Exit(1)
	}
	fmt.Printf("no secret in %d lines of output\n", lines)
}

// search returns the lines of a file that show a secret, each with its number.
func search(file string) (found []string, lines int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		lines++
		if form := secrettest.Find(s.Text(), secrettest.Mark); form != "" {
			found = append(found, fmt.Sprintf("%s:%d: %q is shown: %.200q", file, lines, form, s.Text()))
		}
	}
	return found, lines, s.Err()
}
