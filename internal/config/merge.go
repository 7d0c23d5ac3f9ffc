package config

import "maps"

// merge puts the defaults under an account: what the account does not give itself comes from
// them. Keys that exclude each other go together, so a default never contradicts an account.
func merge(account, defaults object) object {
	under := copyOf(defaults.entries)
	dropLogin(under, account)
	dropServer(under, account)
	own := maps.Clone(account.entries)
	mergeBlock(own, defaults, "deliver", mergeDeliver)
	mergeBlock(own, defaults, "oauth2", mergeOAuth2)
	maps.Copy(under, own)
	return object{account.position, under, account.partial || defaults.partial}
}

// dropLogin takes out of the defaults what an account's own way to log in replaces: a password
// another password and the tokens, tokens a password, a certificate both.
func dropLogin(under map[string]entry, account object) {
	auth := get(account, "auth", "")
	password := len(account.among(passwordKeys...)) > 0
	tokens := account.has("oauth2")
	if password || tokens || auth == external {
		drop(under, passwordKeys...)
	}
	if _, has := under["oauth2"]; has && !tokens && (password || auth != "" && !takesTokens(auth)) {
		drop(under, "oauth2")
		dropAuth(under, needsToken) // it belongs to the block
	}
	switch {
	case tokens:
		dropAuth(under, func(auth string) bool { return !takesTokens(auth) })
	case password:
		dropAuth(under, func(auth string) bool { return auth == external })
	}
}

// dropAuth takes auth out of the defaults if it is such a one.
func dropAuth(under map[string]entry, such func(auth string) bool) {
	if auth, ok := under["auth"].value.(string); ok && such(auth) {
		drop(under, "auth")
	}
}

// dropServer takes out of the defaults what cannot be with an account's own server.
func dropServer(under map[string]entry, account object) {
	if get(account, "tls", "") == string(NoTLS) {
		drop(under, tlsKeys...)
	}
	if account.has(clientCertKeys...) {
		drop(under, clientCertKeys...) // a certificate goes with its own key
	}
	if account.has(wayKeys...) {
		drop(under, wayKeys...)
	}
	if isUnix(get(account, "host", "")) {
		drop(under, wayKeys...)
		drop(under, "port")
	}
}

// mergeBlock puts the block called key of the defaults under that of own, if there is one.
func mergeBlock(own map[string]entry, defaults object, key string, merge func(account, defaults object) object) {
	if block, ok := own[key].value.(object); ok {
		own[key] = entry{own[key].position, merge(block, get(defaults, key, object{}))}
	}
}

// mergeDeliver does so for deliver: an MDA replaces a Maildir and the other way round.
func mergeDeliver(account, defaults object) object {
	under := copyOf(defaults.entries)
	switch {
	case account.has("mda"):
		drop(under, "maildir", "folder")
	case account.has("maildir"):
		drop(under, "mda")
	}
	return over(account, defaults, under)
}

// mergeOAuth2 does so for oauth2. Of another provider nothing is taken over: its client and its
// endpoints are strangers here.
func mergeOAuth2(account, defaults object) object {
	under := copyOf(defaults.entries)
	own, other := get(account, "provider", ""), get(defaults, "provider", "")
	if own != "" && other != "" && own != other {
		clear(under)
	}
	if account.has(clientSecretKeys...) {
		drop(under, clientSecretKeys...)
	}
	return over(account, defaults, under)
}

// over is the account's block with what is left of the defaults under it.
func over(account, defaults object, under map[string]entry) object {
	maps.Copy(under, account.entries)
	return object{account.position, under, account.partial || defaults.partial}
}

// copyOf is never nil.
func copyOf(entries map[string]entry) map[string]entry {
	under := map[string]entry{}
	maps.Copy(under, entries)
	return under
}

func drop(entries map[string]entry, keys ...string) {
	for _, k := range keys {
		delete(entries, k)
	}
}
