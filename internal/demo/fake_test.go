package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// fakeMode makes the test's own program a small popsync, which does one thing wrong.
const fakeMode = "POPSYNC_DEMO_FAKE"

func TestMain(m *testing.M) {
	if mode := os.Getenv(fakeMode); mode != "" {
		if err := fakeFetch(mode, os.Args[len(os.Args)-1]); err != nil {
			fmt.Fprintln(os.Stderr, "fake:", err)
			os.Exit(69)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// fakeFetch delivers what it has not delivered before. It remembers by the names of its files.
func fakeFetch(mode, config string) error {
	if mode == "fails" {
		return fmt.Errorf("told to fail")
	}
	folder := filepath.Dir(config)
	for _, name := range []string{"new", "cur", "tmp"} {
		if err := os.MkdirAll(filepath.Join(folder, "Maildir", name), 0o700); err != nil {
			return err
		}
	}
	c, err := fakeLogIn(folder, config)
	if err != nil {
		return err
	}
	defer c.Close()
	listing, err := ask(c, true, "UIDL")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(listing)) {
		n, uid, _ := strings.Cut(strings.TrimSpace(line), " ")
		file := filepath.Join(folder, "Maildir/new", uid)
		if _, err := os.Stat(file); err == nil && mode != "fetches twice" {
			continue
		}
		raw, err := ask(c, true, "RETR "+n)
		if err != nil {
			return err
		}
		if err := os.WriteFile(wrong(mode, n, file), spoil(mode, raw), 0o600); err != nil {
			return err
		}
		if mode == "deletes" {
			if _, err := ask(c, false, "DELE "+n); err != nil {
				return err
			}
		}
	}
	if mode == "says no QUIT" {
		return nil
	}
	_, err = ask(c, false, "QUIT")
	return err
}

// wrong is where the file goes.
func wrong(mode, n, file string) string {
	switch {
	case mode == "loses one" && n == "3":
		return os.DevNull
	case mode == "leaves one in tmp" && n == "3":
		return strings.Replace(file, "/new/", "/tmp/", 1)
	}
	return file
}

// spoil is what is written for raw.
func spoil(mode string, raw []byte) []byte {
	if mode == "drops a byte" {
		return raw[:len(raw)-1]
	}
	return raw
}

func fakeLogIn(folder, config string) (*textproto.Conn, error) {
	keys, err := fakeConfig(config)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(filepath.Join(folder, keys["tls_ca_file"]))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	conn, err := tls.Dial("tcp", keys["host"]+":"+keys["port"], &tls.Config{RootCAs: roots})
	if err != nil {
		return nil, err
	}
	c := textproto.NewConn(conn)
	if _, err := c.ReadLine(); err != nil {
		return nil, err
	}
	if _, err := ask(c, false, "USER "+keys["username"]); err != nil {
		return nil, err
	}
	_, err = ask(c, false, "PASS "+keys["password"])
	return c, err
}

// fakeConfig takes the file for lines of "key: value".
func fakeConfig(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	keys := make(map[string]string)
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		key, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), ": ")
		keys[key] = value
	}
	return keys, lines.Err()
}

// ask is one command; the text of a multi-line answer comes with LF.
func ask(c *textproto.Conn, multi bool, command string) ([]byte, error) {
	if err := c.PrintfLine("%s", command); err != nil {
		return nil, err
	}
	line, err := c.ReadLine()
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(line, "+OK") {
		return nil, fmt.Errorf("%s: %s", command, line)
	}
	if !multi {
		return nil, nil
	}
	return io.ReadAll(c.DotReader())
}
