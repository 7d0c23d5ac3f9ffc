package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"popsync/internal/samples"
)

// A file is one message in a Maildir.
type file struct {
	name    string
	size    int64
	date    time.Time
	subject string // decoded
	sum     [sha256.Size]byte
}

// readMaildir reads new/, in the order of the messages' dates. It is an error if something lies in tmp/ or
// cur/, where nothing should be. A Maildir that is not there yet is empty.
func readMaildir(path string) ([]file, error) {
	for _, folder := range []string{"tmp", "cur"} {
		entries, err := readDir(filepath.Join(path, folder))
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 {
			return nil, fmt.Errorf("%s: %s was left there", filepath.Join(path, folder), entries[0].Name())
		}
	}
	entries, err := readDir(filepath.Join(path, "new"))
	if err != nil {
		return nil, err
	}
	files := make([]file, len(entries))
	for i, entry := range entries {
		raw, err := os.ReadFile(filepath.Join(path, "new", entry.Name()))
		if err != nil {
			return nil, err
		}
		files[i] = newFile(entry.Name(), raw)
	}
	slices.SortFunc(files, func(a, b file) int {
		return cmp.Or(a.date.Compare(b.date), strings.Compare(a.name, b.name))
	})
	return files, nil
}

func readDir(path string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// newFile looks at raw; a header that cannot be read leaves date and subject empty.
func newFile(name string, raw []byte) file {
	f := file{name: name, size: int64(len(raw)), sum: sha256.Sum256(raw)}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return f
	}
	if date, err := m.Header.Date(); err == nil {
		f.date = date
	}
	f.subject = m.Header.Get("Subject")
	if text, err := new(mime.WordDecoder).DecodeHeader(f.subject); err == nil {
		f.subject = text
	}
	return f
}

// compare checks that each of held is there once, with LF for CRLF, and nothing else.
func compare(files []file, held []samples.Sample) error {
	times := make(map[[sha256.Size]byte]int)
	for _, f := range files {
		times[f.sum]++
	}
	var errs []error
	for _, s := range held {
		sum := sha256.Sum256(bytes.ReplaceAll(s.Raw, []byte("\r\n"), []byte("\n")))
		if times[sum] != 1 {
			errs = append(errs, fmt.Errorf("message %s is there %d times", s.Name, times[sum]))
		}
		delete(times, sum)
	}
	for _, f := range files {
		if times[f.sum] > 0 {
			errs = append(errs, fmt.Errorf("file %s is no message of the server", f.name))
		}
	}
	return errors.Join(errs...)
}
