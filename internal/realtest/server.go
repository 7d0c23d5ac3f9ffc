package realtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// How the line to a server is protected, as the key tls of the configuration calls it.
const (
	Cleartext = "none"
	StartTLS  = "starttls"
	Implicit  = "implicit"
)

// Password is that of every user of every server.
const Password = "pass word"

// A Server is a POP3 server of its own for one test. It listens on 127.0.0.1 to 127.0.0.10 and
// has the users it was started with.
type Server interface {
	// Port is where it listens; tls is one of Cleartext, StartTLS, Implicit.
	Port(tls string) int

	// CA is the file with the certificate to trust.
	CA() string

	// Put adds messages to the mailbox of user, as if they had just arrived, and counts them.
	Put(user string, messages ...Message) (Census, error)

	// Holds counts what lies in the mailbox of user.
	Holds(user string) (Census, error)

	// Log is what the server has written into its log so far.
	Log() string

	// Stop ends the server and removes its folder.
	Stop() error
}

// Servers are those the tests run against.
var Servers = []struct {
	Name    string
	Program string // what has to be installed
	Start   func(users ...string) (Server, error)
}{
	{"Dovecot", "dovecot", StartDovecot},
}

// packages says which Debian package has a program.
var packages = map[string]string{
	"dovecot":  "dovecot-pop3d",
	"procmail": "procmail",
	"maildrop": "maildrop",
	"strace":   "strace",
}

// Need returns the path of a program that t cannot do without. Where it is not installed, t is
// skipped, or fails if $POPSYNC_REAL is "require".
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := lookPath(program)
	switch {
	case err == nil:
		return path
	case os.Getenv("POPSYNC_REAL") == "require":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	return ""
}

// Installed is an error that names the package where a program is not installed.
func Installed(program string) error {
	_, err := lookPath(program)
	return err
}

// lookPath is exec.LookPath, also in the folders of servers, which an ordinary user's PATH lacks.
func lookPath(program string) (string, error) {
	for _, dir := range []string{"", "/usr/sbin", "/usr/local/sbin"} {
		name := program
		if dir != "" {
			name = filepath.Join(dir, program)
		}
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: apt-get install %s", program, packages[program])
}
