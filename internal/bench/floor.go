package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"popsync/internal/realtest"
)

// floorMode is the first argument with which this program is one of the floors.
const floorMode = "bench-floor"

// floorRead reads all mail and throws it away.
var floorRead = contender{
	name: "floor-read", discards: true, configure: func(e errand) (run, error) { return configureFloor(e, "") },
	note: "a bare reader that sends all RETR at once and throws away what comes: it knows no UIDs and no errors",
}

// floorWrite stores what it reads, too.
var floorWrite = contender{
	name: "floor-write", configure: func(e errand) (run, error) { return configureFloor(e, e.maildir(e.users[0])) },
	note: "the same, which writes each message to a file, syncs the file system once, and renames",
}

func configureFloor(e errand, maildir string) (run, error) {
	argv := []string{filepath.Join(e.bin, "bench"), floorMode, "-port", strconv.Itoa(e.port), "-user", e.users[0], "-maildir", maildir}
	if e.secure() {
		argv = append(argv, "-ca", e.ca)
	}
	if e.remove {
		argv = append(argv, "-delete")
	}
	return run{argv: argv}, nil
}

// floorHere is the floor's process.
func floorHere(args []string) error {
	flags := flag.NewFlagSet(floorMode, flag.ContinueOnError)
	var (
		port    = flags.Int("port", 0, "of the server")
		user    = flags.String("user", "", "whose mail")
		maildir = flags.String("maildir", "", "where it goes; it is thrown away if this is empty")
		ca      = flags.String("ca", "", "whom to trust; no TLS if it is empty")
		remove  = flags.Bool("delete", false, "delete it on the server")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	w, n, err := logIn(*port, *user, *ca)
	if err != nil {
		return err
	}
	defer w.conn.Close()
	return w.fetch(n, *maildir, *remove)
}

// logIn opens a session, and says how many messages there are: three waits.
func logIn(port int, user, ca string) (*wire, int, error) {
	w, err := dial(port, ca)
	if err != nil {
		return nil, 0, err
	}
	n, err := w.logIn(user)
	if err != nil {
		w.conn.Close()
	}
	return w, n, err
}

func (w *wire) logIn(user string) (n int, err error) {
	if err := w.answers(1); err != nil { // the greeting
		return 0, err
	}
	w.send("CAPA\r\n")
	if err := w.multiline(nil); err != nil {
		return 0, err
	}
	w.send("USER " + user + "\r\nPASS " + realtest.Password + "\r\nSTAT\r\n")
	if err := w.answers(2); err != nil {
		return 0, err
	}
	stat, err := w.answer()
	if err != nil {
		return 0, err
	}
	var size int64
	_, err = fmt.Sscanf(string(stat), "+OK %d %d", &n, &size)
	return n, err
}

func dial(port int, ca string) (*wire, error) {
	addr := net.JoinHostPort(host, strconv.Itoa(port))
	if ca == "" {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return nil, err
		}
		return newWire(conn), nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New(ca + " has no certificate")
	}
	conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots})
	if err != nil {
		return nil, err
	}
	return newWire(conn), nil
}

// fetch asks for all n messages at once and takes them. What is to be deleted is asked for once
// all is stored.
func (w *wire) fetch(n int, maildir string, remove bool) error {
	wanted := numbered("RETR", n)
	if !remove {
		wanted += "QUIT\r\n"
	}
	w.send(wanted)
	if err := w.take(n, maildir); err != nil {
		return err
	}
	if remove {
		w.send(numbered("DELE", n) + "QUIT\r\n")
		if err := w.answers(n); err != nil {
			return err
		}
	}
	err := w.answers(1)                    // QUIT
	if !remove && errors.Is(err, io.EOF) { // all is there, and Dovecot may leave without a word
		err = nil
	}
	return errors.Join(err, w.sent())
}

// take reads n messages, and stores them unless there is no Maildir.
func (w *wire) take(n int, maildir string) error {
	if maildir != "" {
		return w.store(n, maildir)
	}
	for range n {
		if err := w.multiline(nil); err != nil {
			return err
		}
	}
	return nil
}

// numbered is a command for each of the messages 1 to n.
func numbered(command string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(command)
		b.WriteByte(' ')
		b.WriteString(strconv.Itoa(i + 1))
		b.WriteString("\r\n")
	}
	return b.String()
}

// store takes n messages into a Maildir.
func (w *wire) store(n int, maildir string) error {
	tmp, shown := filepath.Join(maildir, "tmp"), filepath.Join(maildir, "new")
	for i := range n {
		if err := w.storeOne(filepath.Join(tmp, strconv.Itoa(i))); err != nil {
			return err
		}
	}
	folder, err := os.Open(shown)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := syncAround(folder); err != nil {
		return err
	}
	for i := range n {
		if err := os.Rename(filepath.Join(tmp, strconv.Itoa(i)), filepath.Join(shown, strconv.Itoa(i))); err != nil {
			return err
		}
	}
	return folder.Sync()
}

func (w *wire) storeOne(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(w.multiline(f), f.Close())
}

// unstuff takes the stuffed dots from whole lines, and makes LF of CRLF, where they lie.
func unstuff(lines []byte) []byte {
	out := lines[:0]
	for len(lines) > 0 {
		end := bytes.IndexByte(lines, '\n')
		line := lines[:end]
		lines = lines[end+1:]
		if len(line) > 0 && line[0] == '.' {
			line = line[1:]
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		out = append(append(out, line...), '\n')
	}
	return out
}
