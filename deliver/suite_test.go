package deliver_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"

	"popsync/deliver"
	"popsync/deliver/delivertest"
)

const state = "0a1b2c3d"

func TestMaildir(t *testing.T) {
	for claim, crlf := range map[string]bool{"LF": false, "CRLF": true} {
		t.Run(claim, func(t *testing.T) {
			delivertest.Run(t, func(t testing.TB) delivertest.Place {
				path := filepath.Join(t.TempDir(), "Maildir")
				return maildirPlace(path, deliver.MaildirOptions{Path: path, CRLF: crlf})
			})
		})
	}
}

// D10: a trace header stands in front of every message and changes nothing else. TestMDAWithTraceHeader
// has the other line ends.
func TestMaildirWithTraceHeader(t *testing.T) {
	delivertest.Run(t, func(t testing.TB) delivertest.Place {
		path := filepath.Join(t.TempDir(), "Maildir")
		p := maildirPlace(path, deliver.MaildirOptions{Path: path, Trace: trace})
		p.Trace = trace("")
		return p
	})
}

func trace(string) string { return "X-Popsync: account work\n\tand more\n" }

// D7: what an agent refused is delivered here as it was handed over.
func TestQuarantine(t *testing.T) {
	delivertest.Run(t, func(t testing.TB) delivertest.Place {
		path := filepath.Join(t.TempDir(), "state", "quarantine", "work")
		p := maildirPlace(path, deliver.MaildirOptions{})
		p.Target = func() deliver.Target {
			return deliver.NewQuarantine(deliver.MaildirOptions{
				Path: path, Trace: trace, Owner: deliver.NewOwner(state), // the message has that header already
			})
		}
		p.KeepsCRLF = true
		return p
	})
}

// D5
func TestMaildirFolder(t *testing.T) {
	delivertest.Run(t, func(t testing.TB) delivertest.Place {
		root := filepath.Join(t.TempDir(), "Maildir")
		return maildirPlace(filepath.Join(root, ".Lists.go"), deliver.MaildirOptions{Path: root, Folder: "Lists.go"})
	})
}

func maildirPlace(path string, o deliver.MaildirOptions) delivertest.Place {
	return delivertest.Place{
		Target: func() deliver.Target {
			o.Owner = deliver.NewOwner(state)
			return deliver.NewMaildir(o)
		},
		Delivered: func(t testing.TB) []string { return sums(t, filepath.Join(path, "new")) },
		Staged:    func(t testing.TB) []string { return entries(t, filepath.Join(path, "tmp")) },
		KeepsCRLF: o.CRLF,
		Remembers: true,
	}
}

// D6: the agent writes what it reads into a new file.
func TestMDA(t *testing.T) {
	delivertest.Run(t, func(t testing.TB) delivertest.Place {
		return mdaPlace(t, deliver.MDAOptions{})
	})
}

func TestMDAWithTraceHeader(t *testing.T) {
	delivertest.Run(t, func(t testing.TB) delivertest.Place {
		p := mdaPlace(t, deliver.MDAOptions{CRLF: true, Trace: trace})
		p.Trace, p.KeepsCRLF = trace(""), true
		return p
	})
}

func mdaPlace(t testing.TB, o deliver.MDAOptions) delivertest.Place {
	dir := t.TempDir()
	mail, spool := filepath.Join(dir, "mail"), filepath.Join(dir, "state", "spool")
	if err := os.Mkdir(mail, 0o700); err != nil {
		t.Fatal(err)
	}
	o.Argv = []string{"/bin/sh", "-c", `exec cat > "$(mktemp "$1/XXXXXXXXXX")"`, "agent", mail}
	o.Spool, o.Account = spool, "work"
	return delivertest.Place{
		Target: func() deliver.Target {
			o.Owner = deliver.NewOwner(state)
			return deliver.NewMDA(o)
		},
		Delivered: func(t testing.TB) []string { return sums(t, mail) },
		Staged:    func(t testing.TB) []string { return entries(t, spool) },
	}
}

func entries(t testing.TB, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range list {
		names = append(names, entry.Name())
	}
	return names
}

func sums(t testing.TB, dir string) []string {
	t.Helper()
	var list []string
	for _, name := range entries(t, dir) {
		list = append(list, sum(t, filepath.Join(dir, name)))
	}
	return list
}

func sum(t testing.TB, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(hash.Sum(nil))
}
