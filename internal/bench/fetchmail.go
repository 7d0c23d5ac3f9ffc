package main

import (
	"bytes"
	"fmt"
	"strings"

	"popsync/internal/realtest"
)

var fetchmail = contender{
	name: "fetchmail", program: "fetchmail", family: "fetchmail", configure: configureFetchmail, agentOnly: true,
	idle: []int{1}, // there is no new mail
	// A CR within a line is lost, whatever it is told.
	makes: func(msg []byte) []byte { return bytes.ReplaceAll(msg, []byte("\r"), nil) },
	note:  "delivers to no Maildir: in every row it gets the agent, which syncs nothing; loses each CR within a line, and is let pass with it",
}

func configureFetchmail(e errand) (run, error) {
	var b strings.Builder
	b.WriteString("set no syslog\nset no bouncemail\nset invisible\n")
	fmt.Fprintf(&b, "set idfile %q\nset pidfile %q\n", e.file("fetchids"), e.file("pid"))
	server := host
	if e.secure() {
		server = "localhost" // it does not look for addresses in a certificate
	}
	for _, user := range e.users {
		fmt.Fprintf(&b, "poll %s via %s service %d protocol pop3 auth password uidl\n", user, server, e.port)
		fmt.Fprintf(&b, "  user %q password %q no rewrite pass8bits", user, realtest.Password)
		keep, line := "keep", `sslproto ""` // which would speak STLS by itself
		if e.remove {
			keep = "nokeep"
		}
		if e.secure() {
			line = fmt.Sprintf("ssl sslcertck sslcertfile %q", e.ca)
		}
		fmt.Fprintf(&b, " %s %s mda \"%s %s\"\n", keep, line, e.agent, e.inbox(user))
	}
	r := run{argv: []string{"fetchmail", "-s", "-f", e.file("fetchmailrc")}, env: []string{"FETCHMAILHOME=" + e.dir}}
	return r, e.write("fetchmailrc", &b)
}
