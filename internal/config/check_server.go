package config

func (r *report) checkTLS(o object) {
	switch {
	case get(o, "tls", "") == string(NoTLS):
		for _, k := range o.among(tlsKeys...) {
			r.wrong(o.entries[k].position, "contradicts tls: none in line %d; without TLS it has no meaning", o.entries["tls"].line)
		}
	case isUnix(get(o, "host", "")) && !o.has("tls_server_name"):
		r.wrong(o.entries["host"].position, "has no name that a certificate could bear; write tls: none, or tls_server_name")
	}
	r.checkClientCert(o)
}

// checkClientCert sees to it that a certificate has its key.
func (r *report) checkClientCert(o object) {
	for i, k := range clientCertKeys {
		other := clientCertKeys[1-i]
		if o.has(k) && !o.has(other) && !o.partial {
			r.wrong(o.entries[k].position, "needs %s too; one file may hold both certificate and key", other)
		}
	}
}

// checkCleartext sees to it that passwords and mail are in clear only where that was allowed (T7).
// What a name leads to shows when it is connected to; an address leads nowhere else. Where a proxy
// or a program leads to nobody knows.
func (r *report) checkCleartext(o object) {
	server, ways := get(o, "host", ""), o.among(wayKeys...)
	if get(o, "tls", "") != string(NoTLS) || len(ways) == 0 && (server == "" || staysHere(server)) {
		return
	}
	at := o.entries["tls"].position
	switch {
	case get(o, "allow_cleartext", false):
		r.warn(at, "%s", exposed(o))
	case o.has("allow_cleartext") && o.entries["allow_cleartext"].value == nil: // and was told
	case len(ways) > 0:
		r.wrong(at, "none would send password and mail in clear by %s in line %d; "+
			"write implicit or starttls, or allow_cleartext: true if that is meant", ways[0], o.entries[ways[0]].line)
	case isAddress(server):
		r.wrong(at, "none would send password and mail in clear over the network; "+
			"write implicit or starttls, or allow_cleartext: true if that is meant")
	default:
		r.warn(at, "none is good for this machine only: the account fails where the host turns out to be another one")
	}
}

// exposed says what others can read of an account without TLS. auth: auto shows no password then.
func exposed(o object) string {
	switch auth := get(o, "auth", defaultAuth); {
	case needsToken(auth):
		return "token and mail cross the network in clear"
	case auth == "user", auth == "plain", auth == "login":
		return "password and mail cross the network in clear"
	case auth == defaultAuth && o.has("oauth2"):
		return "mail crosses the network in clear; auth: auto sends no token that way, so the account fails"
	case auth == defaultAuth:
		return "mail crosses the network in clear; auth: auto sends no password that way, so the account fails " +
			"where the server has none of SCRAM, CRAM-MD5 and APOP; auth: user sends it"
	default:
		return "mail crosses the network in clear"
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

// checkWay looks at the ways other than a connection of one's own.
func (r *report) checkWay(o object) {
	if o.has("proxy") && o.has("connect_command") {
		r.contradiction(o, "connect_command", "proxy")
	}
	if !isUnix(get(o, "host", "")) {
		return
	}
	for _, k := range o.among(wayKeys...) {
		r.wrong(o.entries[k].position, "contradicts the host in line %d; a socket is on this machine", o.entries["host"].line)
	}
}
