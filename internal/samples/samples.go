// Package samples holds mail that looks like real mail, for tests and the demo. All of it was written
// for this purpose; the names are nobody's, and the domains are reserved for examples (RFC 2606).
package samples

import (
	"bytes"
	"embed"
	"io/fs"
	"strings"
	"sync"
)

//go:embed mail/*.eml
var files embed.FS

// A Sample is one message.
type Sample struct {
	Name string // of its file, without ".eml"
	Raw  []byte // as a server stores it: CRLF at the end of every line, also the last
}

// All is every sample in the order of the names. The caller may change what it gets.
func All() []Sample {
	all := make([]Sample, len(stored()))
	for i, s := range stored() {
		all[i] = Sample{Name: s.Name, Raw: bytes.Clone(s.Raw)}
	}
	return all
}

var stored = sync.OnceValue(func() []Sample {
	paths, err := fs.Glob(files, "mail/*.eml")
	if err != nil {
		panic(err) // only for a bad pattern
	}
	all := make([]Sample, len(paths))
	for i, path := range paths {
		raw, err := files.ReadFile(path)
		if err != nil {
			panic(err) // it is part of the program
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "mail/"), ".eml")
		all[i] = Sample{Name: name, Raw: crlf(raw)}
	}
	return all
})

// crlf ends every line in CRLF, whichever way a checkout has them.
func crlf(raw []byte) []byte {
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
}
