package oauth

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// concealed stands where a server repeated a secret.
const concealed = "****"

// secretKeys are the parameters of a request that nobody may see.
var secretKeys = []string{
	"refresh_token", "access_token", "client_secret", "code", "code_verifier", "device_code", "token",
}

// secretsOf are the secrets in a request.
func secretsOf(form url.Values) []string {
	var all []string
	for _, key := range secretKeys {
		all = append(all, form[key]...)
	}
	return all
}

// conceal takes secrets out of text: as they are, as in a URL, and in base64, also where they stand
// within a longer text that was encoded.
func conceal(text string, secrets []string) string {
	var forms []string
	for _, s := range secrets {
		if s != "" {
			forms = append(forms, s, url.QueryEscape(s), url.PathEscape(s))
			forms = append(forms, base64Forms(s)...)
		}
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) }) // the whole before its parts
	for _, form := range forms {
		text = strings.ReplaceAll(text, form, concealed)
	}
	return text
}

// base64Forms are the characters that depend on s alone when s is encoded at any offset of a text.
func base64Forms(s string) []string {
	var forms []string
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			text := enc.EncodeToString(append(make([]byte, shift), s...))
			from, to := (shift*8+5)/6, (shift+len(s))*8/6
			if to-from >= 4 { // shorter ones would hit innocent text
				forms = append(forms, text[from:to])
			}
		}
	}
	return forms
}
