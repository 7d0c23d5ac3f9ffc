package realtest

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A bag has small messages and how often each is there.
type bag map[string]int

func (b bag) census() Census {
	census := Census{}
	for message, n := range b {
		census[Sum(sha256.Sum256([]byte(message)))] += n
	}
	return census
}

// differ says how b differs from want, or returns ""; names has the messages that are known.
func (b bag) differ(want Census, names map[Sum]string) string {
	var said []string
	have := b.census()
	for sum, n := range want {
		if have[sum] != n {
			said = append(said, fmt.Sprintf("%d instead of %d of %q", have[sum], n, names[sum]))
		}
	}
	for _, message := range slices.Sorted(maps.Keys(b)) {
		if want[Sum(sha256.Sum256([]byte(message)))] == 0 {
			said = append(said, fmt.Sprintf("nobody sent %s", excerpt(message)))
		}
	}
	slices.Sort(said)
	return strings.Join(said, "\n")
}

// excerpt is the beginning and the end of a message.
func excerpt(message string) string {
	const part = 150
	if len(message) <= 2*part {
		return fmt.Sprintf("%q", message)
	}
	return fmt.Sprintf("%q … %q", message[:part], message[len(message)-part:])
}
