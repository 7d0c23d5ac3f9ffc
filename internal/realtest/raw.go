package realtest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// A rawSession talks POP3 with nothing of popsync's in it: what it reads is what popsync has to
// bring.
type rawSession struct {
	conn     net.Conn
	in       *bufio.Reader
	greeting string
}

// dialRaw connects to a server; kind is one of Cleartext, StartTLS, Implicit.
func dialRaw(s Server, kind string) (_ *rawSession, err error) {
	conn, err := net.Dial("tcp", net.JoinHostPort(Host(1), strconv.Itoa(s.Port(kind))))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			conn.Close()
		}
	}()
	conn.SetDeadline(time.Now().Add(time.Minute))
	r := &rawSession{}
	if kind == Implicit {
		if err := r.secure(conn, s.CA()); err != nil {
			return nil, err
		}
	} else {
		r.use(conn)
	}
	if r.greeting, err = r.line(); err != nil {
		return nil, err
	}
	if kind == StartTLS {
		if _, err := r.command("STLS"); err != nil {
			return nil, err
		}
		return r, r.secure(conn, s.CA())
	}
	return r, nil
}

func (r *rawSession) use(conn net.Conn) { r.conn, r.in = conn, bufio.NewReader(conn) }

func (r *rawSession) secure(conn net.Conn, ca string) error {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	secured := tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: Host(1)})
	r.use(secured)
	return secured.Handshake()
}

func (r *rawSession) line() (string, error) {
	line, err := r.in.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

// command sends one and returns the line of an answer that is +OK.
func (r *rawSession) command(line string) (string, error) {
	if _, err := fmt.Fprintf(r.conn, "%s\r\n", line); err != nil {
		return "", err
	}
	answer, err := r.line()
	if err == nil && !strings.HasPrefix(answer, "+OK") {
		verb, _, _ := strings.Cut(line, " ")
		err = fmt.Errorf("%s: %s", verb, answer)
	}
	return answer, err
}

// many sends a command with an answer of many lines, and takes the dots out of it. Line ends are LF.
func (r *rawSession) many(line string) ([]byte, error) {
	if _, err := r.command(line); err != nil {
		return nil, err
	}
	var all []byte
	for {
		line, err := r.in.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		if bytes.Equal(line, []byte(".\r\n")) {
			return all, nil
		}
		if bytes.HasSuffix(line, []byte("\r\n")) {
			line = append(line[:len(line)-2], '\n')
		}
		all = append(all, bytes.TrimPrefix(line, []byte("."))...)
	}
}

// capabilities are those that the server announces now, sorted as it sends them; none where it does
// not know the command.
func (r *rawSession) capabilities() []string {
	answer, err := r.many("CAPA")
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimRight(string(answer), "\n"), "\n")
}

// logIn uses USER and PASS, after UTF8 where that is announced (RFC 6856).
func (r *rawSession) logIn(user string) error {
	for _, capability := range r.capabilities() {
		if verb, _, _ := strings.Cut(capability, " "); verb == "UTF8" {
			r.command("UTF8") // may be refused
		}
	}
	if _, err := r.command("USER " + user); err != nil {
		return err
	}
	_, err := r.command("PASS " + Password)
	return err
}

// close leaves the session.
func (r *rawSession) close() error {
	_, err := r.command("QUIT")
	return errors.Join(err, r.conn.Close())
}

// retrieve reads all messages of a mailbox.
func retrieve(s Server, user string) (_ bag, err error) {
	r, err := dialRaw(s, Cleartext)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.logIn(user); err != nil {
		return nil, err
	}
	answer, err := r.command("STAT")
	if err != nil {
		return nil, err
	}
	var count, size int
	if _, err := fmt.Sscanf(answer, "+OK %d %d", &count, &size); err != nil {
		return nil, fmt.Errorf("STAT: %q: %w", answer, err)
	}
	all := bag{}
	for n := range count {
		message, err := r.many(fmt.Sprintf("RETR %d", n+1))
		if err != nil {
			return nil, err
		}
		all[string(message)]++
	}
	return all, nil
}
