package main

import (
	"fmt"
	"strings"

	"popsync/internal/realtest"
)

var mpop = contender{
	name: "mpop", program: "mpop", family: "mpop", configure: configureMpop,
	note: "syncs each message, not the folder; adds nothing with `received_header off`; polls accounts one after the other",
}

func configureMpop(e errand) (run, error) {
	var b strings.Builder
	for _, user := range e.users {
		fmt.Fprintf(&b, "account %s\nhost %s\nport %d\nuser %[1]s\npassword \"%[4]s\"\nauth user\n", user, host, e.port, realtest.Password)
		fmt.Fprintf(&b, "keep %s\nreceived_header off\nuidls_file %s\n", onOff(!e.remove), e.file("uidls-"+user))
		fmt.Fprintf(&b, "tls %s\ntls_starttls off\n", onOff(e.secure()))
		if e.secure() {
			fmt.Fprintf(&b, "tls_trust_file %s\n", e.ca)
		}
		if e.agent != "" {
			fmt.Fprintf(&b, "delivery mda \"%s %s\"\n\n", e.agent, e.inbox(user))
		} else {
			fmt.Fprintf(&b, "delivery maildir %s\n\n", e.maildir(user))
		}
	}
	return run{argv: []string{"mpop", "-C", e.file("mpoprc"), "-q", "-a"}}, e.write("mpoprc", &b)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
