package main

import (
	"bytes"
	"crypto/sha256"

	"popsync/internal/realtest"
)

// compose makes n new messages, most of them small. No two of a trial are alike.
func (t *trial) compose(n int) []realtest.Message {
	all := make([]realtest.Message, n)
	for i := range all {
		size := 500 + t.random.Int64N(5000)
		if t.random.IntN(20) == 0 {
			size = 300_000
		}
		all[i] = realtest.Message{Seed: t.next, Size: size}
		t.next++
	}
	return all
}

// sumOf is what a message counts as, its line ends CRLF or LF.
func sumOf(raw []byte) realtest.Sum {
	return sha256.Sum256(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")))
}

// census is what messages count as.
func census(messages []realtest.Message) realtest.Census {
	all := realtest.Census{}
	for _, m := range messages {
		all[m.Sum()]++
	}
	return all
}
