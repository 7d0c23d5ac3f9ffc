package config

import (
	"strings"

	"popsync/internal/secret"
)

// external is the log-in by the certificate that was shown in TLS.
const external = "external"

func (r *report) checkPassword(o object) {
	given := o.among(passwordKeys...)
	switch {
	case o.has("oauth2"):
		r.checkNoPassword(o, "contradicts oauth2 in line %d, which gives the token in place of a password; take one of them out", "oauth2")
	case get(o, "auth", "") == external:
		r.checkNoPassword(o, "contradicts auth: external in line %d, which shows a certificate in place of a password; take one of them out", "auth")
	case len(given) == 0 && !o.partial && !mayShowCertificate(o):
		r.warn(o.child("password"), "%s", noPassword(get(o, "auth", "")))
	case len(given) > 1:
		for _, k := range given[1:] {
			r.contradiction(o, k, given[0])
		}
	}
}

// mayShowCertificate says whether auth: auto logs in without a password: a server that knows the
// certificate takes EXTERNAL.
func mayShowCertificate(o object) bool {
	return get(o, "auth", defaultAuth) == defaultAuth && o.has(clientCertKeys...)
}

// checkNoPassword refuses every password beside the key that makes them pointless.
func (r *report) checkNoPassword(o object, message, key string) {
	for _, k := range o.among(passwordKeys...) {
		r.wrong(o.entries[k].position, message, o.entries[key].line)
	}
}

// noPassword says what becomes of an account without a password (A6).
func noPassword(auth string) string {
	if needsToken(auth) {
		return "is not given: the token is asked for on a terminal; popsync run and cron need oauth2, or a password_command that prints it"
	}
	return "is not given: it is asked for on a terminal; popsync run and cron need password_command, password_file or another such key"
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

// checkAuth holds the way to log in against what there is to log in with.
func (r *report) checkAuth(o object) {
	auth, at := get(o, "auth", defaultAuth), o.entries["auth"].position
	switch {
	case o.has("oauth2") && !takesTokens(auth):
		r.wrong(at, "contradicts oauth2 in line %d, whose tokens are for auto, xoauth2 and oauthbearer", o.entries["oauth2"].line)
	case auth == external && !o.has(clientCertKeys...) && !o.partial:
		r.wrong(at, "external logs in with a certificate; write tls_client_cert and tls_client_key")
	}
}
