package config

import (
	"fmt"
	"strings"

	"popsync/internal/secret"
)

// anAccountNeeds is told where there is none.
const anAccountNeeds = "an account needs name, host, username, a password (or password_command, password_file …) and deliver"

// checkAccount looks for what an account lacks and for what contradicts itself.
func (r *report) checkAccount(o object) {
	r.checkRequired(o)
	r.checkPassword(o)
	r.checkSendable(o)
	r.checkTLS(o)
	r.checkCleartext(o)
	r.checkServer(o)
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

func (r *report) checkPassword(o object) {
	given := o.among(passwordKeys...)
	switch {
	case len(given) == 0 && !o.partial:
		r.wrong(o.child("password"), "is missing; write one of %s", orList(available(passwordKeys)))
	case len(given) > 1:
		for _, k := range given[1:] {
			r.contradiction(o, k, given[0])
		}
	}
}

// checkSendable warns of what cannot be sent in a log-in: the account will fail, the others not.
func (r *report) checkSendable(o object) {
	texts := map[string]string{"username": get(o, "username", ""), "password": get(o, "password", secret.Value{}).Reveal()}
	for key, text := range texts {
		if strings.ContainsAny(text, "\r\n\x00") {
			r.warn(o.entries[key].position, "holds CR, LF or NUL, which cannot be sent to a server: the account will fail")
		}
	}
}

// available are those of keys that can do something in this version.
func available(keys []string) []string {
	var can []string
	for _, name := range keys {
		if k, _ := lookup(accountKeys, name); !k.when.key {
			can = append(can, name)
		}
	}
	return can
}

func (r *report) contradiction(o object, key, other string) {
	r.wrong(o.entries[key].position, "contradicts %s in line %d; take one of them out", other, o.entries[other].line)
}

func (r *report) checkTLS(o object) {
	switch protected := TLS(get(o, "tls", "")); {
	case protected == NoTLS:
		for _, k := range o.among(tlsKeys...) {
			r.wrong(o.entries[k].position, "contradicts tls: none in line %d; without TLS it has no meaning", o.entries["tls"].line)
		}
	case isUnix(get(o, "host", "")) && !o.has("tls_server_name"):
		r.wrong(o.entries["host"].position, "has no name that a certificate could bear; write tls: none, or tls_server_name")
	}
}

// checkCleartext sees to it that passwords and mail are in clear only where that was allowed (T7).
// What a name leads to shows when it is connected to; an address leads nowhere else.
func (r *report) checkCleartext(o object) {
	server := get(o, "host", "")
	if get(o, "tls", "") != string(NoTLS) || server == "" || staysHere(server) {
		return
	}
	at := o.entries["tls"].position
	switch {
	case get(o, "allow_cleartext", false):
		r.warn(at, "password and mail cross the network in clear")
	case o.has("allow_cleartext") && o.entries["allow_cleartext"].value == nil: // and was told
	case isAddress(server):
		r.wrong(at, "none would send password and mail in clear over the network; "+
			"write implicit or starttls, or allow_cleartext: true if that is meant")
	default:
		r.warn(at, "none is good for this machine only: the account fails where the host turns out to be another one")
	}
}

func (r *report) checkServer(o object) {
	protected, at := TLS(get(o, "tls", string(Implicit))), o.entries["port"].position
	switch p := get(o, "port", 0); {
	case o.has("port") && isUnix(get(o, "host", "")):
		r.wrong(at, "contradicts the host in line %d; a socket has no port", o.entries["host"].line)
	case p == 110 && protected == Implicit:
		r.warn(at, "110 is the port for tls: starttls, and TLS is implicit here; with implicit TLS the port is 995")
	case p == 995 && protected != Implicit:
		r.warn(at, "995 is the port for implicit TLS, and tls is %s here; its port is 110", protected)
	}
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
