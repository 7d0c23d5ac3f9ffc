package realtest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A Product is a POP3 server as Debian has it, and what the tests have to know about it.
type Product struct {
	Name  string
	Start func(users ...string) (Server, error)

	// Package has the files: a folder of unpacked packages, or "" where Program is installed.
	Package string
	Program string

	// TLS are the kinds that it has, the clear one among them.
	TLS []string

	// LogIns are the ways to log in that popsync and the server have in common.
	LogIns []LogIn

	// Method is a regular expression that finds the mechanism of a log-in in what the server logs of
	// it; USER in it is the user's name. It is "" where the server does not say.
	Method string

	// Clean takes out of a message what the server itself puts in; nil where it puts nothing.
	Clean func([]byte) []byte

	// Cannot has the oddities that its store cannot hold, with the reason.
	Cannot map[string]string

	// Remark is for people.
	Remark string
}

// A LogIn is a value of the key auth, over a kind of TLS.
type LogIn struct{ Auth, TLS string }

// logIns are all of auths over all of kinds.
func logIns(auths, kinds string) []LogIn {
	var all []LogIn
	for _, auth := range strings.Fields(auths) {
		for _, kind := range strings.Fields(kinds) {
			all = append(all, LogIn{auth, kind})
		}
	}
	return all
}

var (
	clearOnly = []string{Cleartext}
	everyTLS  = []string{Cleartext, StartTLS, Implicit}
)

// Why an oddity cannot be had from a server.
const (
	refused  = "refused when it arrives"
	together = "run together with the message behind it in the mbox"
)

// Products are all servers that popsync is tried with.
var Products = []Product{
	{
		Name: "Dovecot", Program: "dovecot", Start: StartDovecotWithAll, TLS: everyTLS,
		LogIns: append(
			logIns("auto user apop plain login cram-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer",
				"none starttls implicit"),
			logIns("external", "starttls implicit")...),
		Method: `Login: user=<USER>, method=([^,]*),`,
		Remark: "OAuth2 tokens are checked by a local key, client certificates by the test's authority.",
	},
	{
		Name: "Courier", Package: "courier", Start: StartCourier, TLS: everyTLS,
		LogIns: append(logIns("auto user plain login", "none starttls implicit"), LogIn{"cram-md5", Cleartext}),
		Remark: "wraps messages with 8-bit headers unless UTF8 was sent; announces LOGIN-DELAY 10, to which popsync keeps, and does not enforce it.",
	},
	{
		Name: "Cyrus IMAP", Package: "cyrus", Start: StartCyrus, TLS: everyTLS,
		LogIns: logIns("auto user apop plain login cram-md5 scram-sha-1 scram-sha-256", "none starttls implicit"),
		Method: `login: \S+ \[[^]]*\] USER (\S+) User logged in`,
		Cannot: map[string]string{"text without a header": refused, "NUL": refused},
		Remark: "binds SCRAM to tls-unique, which TLS 1.3 does not have; so here implicit TLS is 1.2, and that after STLS 1.3.",
	},
	{
		Name: "GNU Mailutils", Package: "mailutils", Start: StartMailutils, TLS: everyTLS,
		LogIns: logIns("auto user", "none starttls implicit"),
		Clean:  withoutLines("X-UIDL:", "X-UID:", "X-IMAPbase:", "Status:"),
		Cannot: map[string]string{
			"no blank line": together, "text without a header": together,
			"no body": "gets a blank line after the first session",
		},
		Remark: "writes X-UIDL, X-UID, X-IMAPbase and Status into messages between sessions; these are not compared. Greets with a stamp, also users without a secret for APOP.",
	},
	{
		Name: "popa3d", Package: "popa3d", Start: StartPopa3d, TLS: clearOnly,
		LogIns: logIns("auto user", "none"),
		Remark: "makes the UID from a few header lines: messages that have those in common have one UID.",
	},
	{
		Name: "solid-pop3d", Package: "solid", Start: StartSolid, TLS: clearOnly,
		LogIns: logIns("auto user", "none"),
		Remark: "makes the UID from a few header lines, as popa3d does; sends the blank line that ends a message in an mbox. Greets with a stamp, also users without a secret for APOP.",
	},
	{
		Name: "perdition", Package: "perdition", Start: StartPerdition, TLS: everyTLS,
		LogIns: logIns("auto user", "none starttls implicit"),
		Remark: "a proxy, here before Dovecot.",
	},
	{
		Name: "nginx", Package: "nginx", Start: StartNginx, TLS: everyTLS,
		LogIns: logIns("auto user apop plain login cram-md5", "none starttls implicit"),
		Remark: "a proxy, here before Dovecot; its capabilities before the log-in are what its configuration says.",
	},
}

// withoutLines returns a function that takes the lines that begin with prefix out of a header.
func withoutLines(prefixes ...string) func([]byte) []byte {
	return func(message []byte) []byte {
		var out []byte
		header := true
		for line := range bytes.Lines(message) {
			header = header && len(line) > 1
			drop := false
			for _, prefix := range prefixes {
				drop = drop || header && bytes.HasPrefix(line, []byte(prefix))
			}
			if !drop {
				out = append(out, line...)
			}
		}
		return out
	}
}

// Version is the upstream version of p; Debian's own revisions do not matter here.
func (p Product) Version() (string, error) {
	var version string
	if p.Package == "" {
		path, err := lookPath(p.Program)
		if err != nil {
			return "", err
		}
		out, err := output(path, "--version")
		if err != nil {
			return "", err
		}
		version, _, _ = strings.Cut(out, " ")
	} else {
		folder, err := unpacked(p.Package)
		if err != nil {
			return "", err
		}
		content, err := os.ReadFile(filepath.Join(folder, "version"))
		if err != nil {
			return "", err
		}
		version = strings.TrimSpace(string(content))
	}
	if _, after, found := strings.Cut(version, ":"); found {
		version = after
	}
	version, _, _ = strings.Cut(version, "-")
	version, _, _ = strings.Cut(version, "+")
	return version, nil
}

// NeedProduct skips t where p is not there, or fails it if $POPSYNC_REAL is "require".
func NeedProduct(t testing.TB, p Product) {
	t.Helper()
	if p.Package == "" {
		Need(t, p.Program)
		return
	}
	if _, err := unpacked(p.Package); err != nil {
		if os.Getenv("POPSYNC_REAL") == "require" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}
