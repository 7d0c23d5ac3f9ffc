package poptest

import (
	"errors"
	"strings"
)

// What a refused token is answered with (Google's documentation; RFC 7628, section 3.2.2).
const (
	GoogleTokenError = `{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}`
	BearerTokenError = `{"status":"invalid_token","scope":"https://mail.google.com/"}`
)

// xoauth2 is Google's mechanism of before RFC 7628.
func xoauth2(e *exchange) error {
	raw, err := e.first()
	if err != nil {
		return err
	}
	user, token, ok := parseXOAUTH2(string(raw))
	return e.token(user, token, ok, GoogleTokenError)
}

// oauthbearer is RFC 7628.
func oauthbearer(e *exchange) error {
	raw, err := e.first()
	if err != nil {
		return err
	}
	user, token, ok := parseOAUTHBEARER(string(raw))
	return e.token(user, token, ok, BearerTokenError)
}

// token decides about a response that could be read (ok), or not: then it is refused without a challenge,
// as Dovecot has it. Whatever the client answers to the challenge but "*", a refusal follows.
func (e *exchange) token(user, token string, ok bool, refusal string) error {
	if !ok || e.VerifyToken(user, token) {
		return e.Decide(user, ok)
	}
	if e.auth.NoTokenError {
		return e.Decide(user, false)
	}
	if e.auth.TokenError != "" {
		refusal = e.auth.TokenError
	}
	if _, err := e.Challenge([]byte(refusal)); err != nil && !errors.Is(err, ErrEncoding) {
		return err
	}
	return e.Decide(user, false)
}

// parseXOAUTH2 reads "user=NAME^Aauth=Bearer TOKEN^A^A".
func parseXOAUTH2(s string) (user, token string, ok bool) {
	fields, ok := bearerFields(s)
	if !ok || len(fields) != 2 {
		return "", "", false
	}
	user, named := strings.CutPrefix(fields[0], "user=")
	token, ok = bearer(fields[1])
	return user, token, ok && named && user != ""
}

// parseOAUTHBEARER reads "n,a=NAME,^Ahost=HOST^Aport=PORT^Aauth=Bearer TOKEN^A^A", of which host and port
// may be missing.
func parseOAUTHBEARER(s string) (user, token string, ok bool) {
	header, rest, found := strings.Cut(s, "\x01")
	fields, ok := bearerFields(rest)
	gs2 := strings.Split(header, ",")
	if !found || !ok || len(gs2) != 3 || gs2[0] != "n" && gs2[0] != "y" || gs2[2] != "" {
		return "", "", false
	}
	name, named := strings.CutPrefix(gs2[1], "a=")
	user, ok = unescape(name)
	if !named || !ok {
		return "", "", false
	}
	for _, field := range fields {
		if token, ok = bearer(field); ok {
			return user, token, true
		}
	}
	return user, "", false
}

// bearerFields are those that end with ^A each, and with one more in the end.
func bearerFields(s string) ([]string, bool) {
	s, ok := strings.CutSuffix(s, "\x01\x01")
	return strings.Split(s, "\x01"), ok
}

func bearer(field string) (token string, ok bool) {
	value, ok := strings.CutPrefix(field, "auth=")
	scheme, token, blank := strings.Cut(value, " ")
	return token, ok && blank && strings.EqualFold(scheme, "Bearer") && token != ""
}

// unescape reads a name of RFC 5801: "=2C" is a comma, "=3D" an equals sign.
func unescape(name string) (string, bool) {
	plain := strings.NewReplacer("=2C", ",", "=3D", "=").Replace(name)
	left := strings.NewReplacer("=2C", "", "=3D", "").Replace(name)
	return plain, !strings.ContainsAny(left, "=,")
}
