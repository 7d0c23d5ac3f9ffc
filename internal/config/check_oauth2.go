package config

// checkOAuth2 looks for what an oauth2 block lacks and for what contradicts itself.
func (r *report) checkOAuth2(account object) {
	o, given := account.entries["oauth2"].value.(object)
	if !given {
		return
	}
	if o.has("client_secret") && o.has("client_secret_command") {
		r.contradiction(o, "client_secret_command", "client_secret")
	}
	if !o.partial {
		r.checkClient(o)
	}
	provider := get(o, "provider", "")
	if provider != "" && provider != "microsoft" && o.has("tenant") {
		r.wrong(o.entries["tenant"].position, "has no meaning for %s; only microsoft has tenants", provider)
	}
	if get(o, "grant", defaultGrant) == defaultGrant {
		r.checkCodeGrant(o, provider)
	} else {
		r.checkClientGrant(o, provider)
	}
}

func (r *report) checkClient(o object) {
	if !o.has("provider") {
		r.wrong(o.child("provider"), "is missing; write google, microsoft or fastmail, or custom and the endpoints")
	}
	if !o.has("client_id") {
		r.wrong(o.child("client_id"), "is missing; popsync has none of its own: register one with the provider, as docs/oauth2.md says")
	}
	if get(o, "provider", "") == "custom" && !o.has("token_url") {
		r.wrong(o.child("token_url"), "is missing; for provider: custom popsync does not know where tokens come from")
	}
}

// checkCodeGrant is for tokens that a person allows.
func (r *report) checkCodeGrant(o object, provider string) {
	switch {
	case provider == "custom" && !o.has("auth_url", "device_url") && !o.partial:
		r.wrong(o.child("auth_url"), "is missing; for provider: custom write auth_url, where access is allowed, or device_url")
	case provider == "google" && !o.has(clientSecretKeys...) && !o.partial:
		r.warn(o.child("client_secret"), "is not given: google hands one out with the client id and gives no token without it")
	}
	if provider == "google" && o.has("device_url") {
		r.warn(o.entries["device_url"].position, "is of no use: google lets no device flow at mail")
	}
}

// checkClientGrant is for tokens that the client gets by itself: with its secret, and for
// microsoft from the directory that has granted it access.
func (r *report) checkClientGrant(o object, provider string) {
	at := o.entries["grant"].position
	switch {
	case o.entries["grant"].value == nil: // and was told
	case provider == "google", provider == "fastmail":
		r.wrong(at, "client_credentials is not to be had from %s; take it out", provider)
	case o.partial:
	case !o.has(clientSecretKeys...):
		r.wrong(at, "client_credentials needs client_secret or client_secret_command")
	case provider == "microsoft" && !o.has("tenant", "token_url"):
		r.wrong(at, "client_credentials needs tenant, the id or domain of the directory")
	}
}
