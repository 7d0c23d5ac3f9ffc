package main

import (
	"bytes"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// flipCmd: flip FILE TEXT flips a bit in the first octet of each TEXT in a file.
func flipCmd(ts *testscript.TestScript, neg bool, args []string) {
	path, text := ts.MkAbs(args[0]), []byte(args[1])
	content, err := os.ReadFile(path)
	ts.Check(err)
	n := 0
	for at := bytes.Index(content, text); at >= 0; at = bytes.Index(content, text) {
		content[at] ^= 0x20
		n++
	}
	if n == 0 {
		ts.Fatalf("%s holds no %q", args[0], text)
	}
	ts.Check(os.WriteFile(path, content, 0o600))
}
