package main

import (
	"fmt"
	"strings"

	"popsync/internal/realtest"
)

var fdm = contender{
	name: "fdm", program: "fdm", family: "fdm", configure: configureFdm,
	know: fillFdmCache,
	note: "syncs each message, not the folder; polls all accounts at once",
}

// fillFdmCache writes the cache as fdm does: a UID's length and the UID.
func fillFdmCache(e errand, user string, uids []string) error {
	var b strings.Builder
	for _, uid := range uids {
		fmt.Fprintf(&b, "%d %s\n", len(uid), uid)
	}
	return e.write(fdmCache(user), &b)
}

func fdmCache(user string) string { return "cache-" + user }

func configureFdm(e errand) (run, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "set lock-file %q\nset maximum-size 1000M\nset no-received\nset unmatched-mail keep\n", e.file("lock"))
	kind := "pop3"
	if e.secure() {
		kind = "pop3s"
		b.WriteString("set verify-certificates\n")
	}
	for _, user := range e.users {
		to := fmt.Sprintf("maildir %q", e.maildir(user))
		if e.agent != "" {
			to = fmt.Sprintf("pipe \"%s %s\"", e.agent, e.inbox(user))
		}
		fmt.Fprintf(&b, "action %q %s\n", user, to)
		fmt.Fprintf(&b, "account %q %s server %q port %d user %[1]q pass %[5]q", user, kind, host, e.port, realtest.Password)
		if !e.remove {
			fmt.Fprintf(&b, " new-only cache %q", e.file(fdmCache(user)))
		}
		if !e.secure() {
			b.WriteString(" no-apop")
		}
		if !e.remove {
			b.WriteString(" keep")
		}
		fmt.Fprintf(&b, "\nmatch account %q action %[1]q\n", user)
	}
	// It knows no other way to trust an authority than OpenSSL's, and keeps messages in $TMPDIR.
	env := []string{"SSL_CERT_FILE=" + e.ca, "TMPDIR=" + e.dir}
	return run{argv: []string{"fdm", "-q", "-f", e.file("fdm.conf"), "fetch"}, env: env}, e.write("fdm.conf", &b)
}
