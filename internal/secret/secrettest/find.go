// Package secrettest looks for secrets where none may be (A7).
package secrettest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
)

// Mark is part of every secret that a test gives to popsync, and of nothing else.
const Mark = "never-to-be-shown"

// Find returns the first form of secret that text holds, or "": the secret itself in any case,
// within base64 wherever it may stand there, in hex, in a URL or JSON.
func Find(text, secret string) string {
	if secret == "" {
		return ""
	}
	lower := strings.ToLower(text)
	for _, form := range []string{secret, url.QueryEscape(secret), hex.EncodeToString([]byte(secret)), quoted(secret)} {
		if strings.Contains(lower, strings.ToLower(form)) {
			return form
		}
	}
	for _, form := range base64Forms(secret) {
		if strings.Contains(text, form) {
			return form
		}
	}
	return ""
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return strings.Trim(string(b), `"`)
}

// base64Forms are the digits that stand for secret whatever stands before and behind it: they
// depend on how many octets before it there are, by threes. Short secrets have none that mean
// anything.
func base64Forms(secret string) []string {
	var forms []string
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", before) + secret))
		from := (before*8 + 5) / 6           // the first digit that is of the secret alone
		to := (before + len(secret)) * 8 / 6 // behind the last one
		if to-from >= 6 {
			forms = append(forms, encoded[from:to])
		}
	}
	return forms
}
