package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"popsync/internal/realtest"
)

var getmail = contender{
	name: "getmail", program: "getmail", family: "getmail6", configure: configureGetmail,
	know: fillOldmail,
	// Python takes a CR for the end of a line.
	makes: func(msg []byte) []byte { return bytes.ReplaceAll(msg, []byte("\r"), []byte("\n")) },
	note:  "syncs each message, not the folder; forks for each; makes a line end of each CR within a line, and is let pass with it",
}

// fillOldmail writes what getmail has had as it does itself: UID, NUL, time.
func fillOldmail(e errand, user string, uids []string) error {
	var b strings.Builder
	for _, uid := range uids {
		fmt.Fprintf(&b, "%s\x00%d\n", uid, time.Now().Unix())
	}
	return e.write(fmt.Sprintf("oldmail-%s-%d-%s", host, e.port, user), &b)
}

func configureGetmail(e errand) (run, error) {
	r := run{argv: []string{"getmail", "--getmaildir", e.dir}}
	for _, user := range e.users {
		var b strings.Builder
		kind := "SimplePOP3Retriever"
		if e.secure() {
			kind = "SimplePOP3SSLRetriever\nca_certs = " + e.ca
		}
		fmt.Fprintf(&b, "[retriever]\ntype = %s\nserver = %s\nport = %d\nusername = %s\npassword = %s\n", kind, host, e.port, user, realtest.Password)
		if e.agent != "" {
			fmt.Fprintf(&b, "[destination]\ntype = MDA_external\npath = %s\narguments = (%q,)\n", e.agent, e.inbox(user))
		} else {
			fmt.Fprintf(&b, "[destination]\ntype = Maildir\npath = %s/\n", e.maildir(user))
		}
		fmt.Fprintf(&b, "[options]\nread_all = false\ndelete = %v\nverbose = 0\ndelivered_to = false\nreceived = false\n", e.remove)
		name := "getmailrc-" + user
		if err := e.write(name, &b); err != nil {
			return run{}, err
		}
		r.argv = append(r.argv, "--rcfile", e.file(name))
	}
	return r, nil
}
