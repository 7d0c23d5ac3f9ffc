package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// readEndpoint reads the URL of an OAuth2 endpoint (RFC 6749, section 3: TLS, and no fragment).
// Secrets go there, so http:// is for this machine only. No error repeats the URL.
func readEndpoint(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || strings.ContainsFunc(text, unicode.IsSpace) {
		return "", errors.New("is no URL; write one such as https://login.example.org/token")
	}
	switch {
	case u.User != nil:
		return "", errors.New("holds a user name before the host; take it out")
	case strings.Contains(text, "#"):
		return "", errors.New("holds a #, which an endpoint may not; take out what begins there")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("begins with another word than https://")
	case u.Scheme == "http" && !staysHere(strings.ToLower(u.Hostname())):
		return "", errors.New("would send secrets in clear over the network; write https://")
	}
	if host, err := readHost(u.Hostname()); err != nil || isUnix(host) {
		return "", errors.New("names no host; write one such as https://login.example.org/token")
	}
	_, err = portOfURL(u, 0)
	return text, err
}

var tenantForm = regexp.MustCompile(`^[A-Za-z0-9]+([.-][A-Za-z0-9]+)*$`)

// readTenant takes what becomes a part of an endpoint's path.
func readTenant(text string) (string, error) {
	if !tenantForm.MatchString(text) {
		return "", errors.New("is no directory; write its id or its domain, such as example.onmicrosoft.com, or common, organizations, consumers")
	}
	return text, nil
}

// scopeForm is a scope-token of RFC 6749, section 3.3.
var scopeForm = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`)

// readScopes returns scopes one by one, those of a text with blanks in it too.
func readScopes(b base, n *yaml.Node) (any, error) {
	words, err := readTexts(b, n)
	if err != nil {
		return nil, err
	}
	var scopes []string
	for i, w := range words.([]string) {
		for _, scope := range strings.Fields(w) {
			if !scopeForm.MatchString(scope) {
				return nil, fmt.Errorf("element %d holds a character that no scope may have", i+1)
			}
			scopes = append(scopes, scope)
		}
	}
	if scopes == nil {
		return nil, errors.New("is empty; leave the key out for the provider's scopes")
	}
	return scopes, nil
}
