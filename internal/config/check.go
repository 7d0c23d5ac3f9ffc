package config

import (
	"fmt"
	"strings"
)

// anAccountNeeds is told where there is none.
const anAccountNeeds = "an account needs name, host, username, a password (or password_command, password_file …) and deliver"

// checkAccount looks for what an account lacks and for what contradicts itself.
func (r *report) checkAccount(o object) {
	r.checkRequired(o)
	r.checkPassword(o)
	r.checkSendable(o)
	r.checkAuth(o)
	r.checkOAuth2(o)
	r.checkTLS(o)
	r.checkCleartext(o)
	r.checkServer(o)
	r.checkWay(o)
	r.checkDeliver(o)
}

var required = []struct{ key, message string }{
	{"name", "is missing; write how the account is to be called, such as work"},
	{"host", "is missing; write the server's name, such as pop.example.org"},
	{"username", "is missing; write the name to log in with, often the whole address"},
}

func (r *report) checkRequired(o object) {
	for _, k := range required {
		if !o.has(k.key) && !o.partial {
			r.wrong(o.child(k.key), "%s", k.message)
		}
	}
}

func (r *report) contradiction(o object, key, other string) {
	r.wrong(o.entries[key].position, "contradicts %s in line %d; take one of them out", other, o.entries[other].line)
}

func (r *report) checkDeliver(o object) {
	d, good := o.entries["deliver"].value.(object)
	switch {
	case o.partial, d.partial, o.has("deliver") && !good:
		return // what is wrong was told before
	case !o.has("deliver"):
		r.wrong(o.child("deliver"), "is missing; write deliver: {maildir: ~/Maildir}, or mda: and a program")
	case !d.has("maildir", "mda"):
		r.wrong(o.entries["deliver"].position, "has no target; write maildir: and a path, or mda: and a program")
	case d.has("maildir") && d.has("mda"):
		r.contradiction(d, "mda", "maildir")
	case d.has("folder") && !d.has("maildir"):
		r.wrong(d.entries["folder"].position, "is a folder of a Maildir; it has no meaning for an MDA")
	case d.has("maildir"):
		r.checkIdle(d)
	}
}

// checkIdle warns of keys that an account with a Maildir gives itself and that do nothing there.
// In the defaults they are for the other accounts.
func (r *report) checkIdle(deliver object) {
	for _, k := range []string{"max_attempts", "quarantine"} {
		if e, given := deliver.entries[k]; given && !e.inherited() {
			r.warn(e.position, "is for messages that an MDA refuses; it has no meaning for a Maildir")
		}
	}
}

// checkTwins refuses two accounts that could not be told apart (C4).
func (r *report) checkTwins(accounts []object) {
	names, mailboxes := map[string]object{}, map[string]object{}
	for _, o := range accounts {
		name := get(o, "name", "")
		if other, twice := names[name]; twice && name != "" {
			r.wrong(o.entries["name"].position, "%q is the name of the account in line %d already", name, other.line)
		} else {
			names[name] = o
		}
		mailbox := mailboxOf(o)
		if other, twice := mailboxes[mailbox]; twice && mailbox != "" {
			r.wrong(o.position, "the same host, port and username as %s in line %d", label(other), other.line)
		} else {
			mailboxes[mailbox] = o
		}
	}
}

// mailboxOf is what tells mailboxes apart, "" if a part of it is missing or wrong.
func mailboxOf(o object) string {
	server, user := get(o, "host", ""), get(o, "username", "")
	if server == "" || user == "" || o.has("port") && get(o, "port", 0) == 0 {
		return ""
	}
	return strings.Join([]string{server, fmt.Sprint(portOf(o)), user}, "\x00")
}

// label is what an account is called in an error.
func label(o object) string {
	if name := get(o, "name", ""); name != "" {
		return fmt.Sprintf("account %q", name)
	}
	return o.key
}
