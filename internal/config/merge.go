package config

import "maps"

// merge puts the defaults under an account: what the account does not give itself comes from
// them. Keys that exclude each other go together, so a default never contradicts an account.
func merge(account, defaults object) object {
	under := copyOf(defaults.entries)
	if account.has(passwordKeys...) {
		drop(under, passwordKeys...)
	}
	if get(account, "tls", "") == string(NoTLS) {
		drop(under, tlsKeys...)
	}
	if isUnix(get(account, "host", "")) && !account.has("port") {
		drop(under, "port")
	}
	own := maps.Clone(account.entries)
	if deliver, ok := own["deliver"].value.(object); ok {
		merged := mergeDeliver(deliver, get(defaults, "deliver", object{}))
		own["deliver"] = entry{own["deliver"].position, merged}
	}
	maps.Copy(under, own)
	return object{account.position, under, account.partial || defaults.partial}
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
