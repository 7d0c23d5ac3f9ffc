package config

import (
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"unicode"
)

const unixPrefix = "unix:"

// readHost returns the host in lower case, an address without brackets, or unix: and a path.
func readHost(text string) (string, error) {
	if path, ok := strings.CutPrefix(text, unixPrefix); ok {
		if !filepath.IsAbs(path) || strings.ContainsRune(path, 0) {
			return "", errors.New("needs an absolute path behind unix:, such as unix:/run/pop3.sock")
		}
		return unixPrefix + filepath.Clean(path), nil
	}
	if addr, err := netip.ParseAddr(unbracketed(text)); err == nil {
		return strings.ToLower(addr.String()), nil
	}
	if err := checkHostName(text); err != nil {
		return "", err
	}
	return strings.ToLower(text), nil
}

func unbracketed(text string) string {
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		return text[1 : len(text)-1]
	}
	return text
}

// checkHostName refuses what is not a name, and says how to write what was probably meant.
// Whether the name exists is the resolver's to say; names in other scripts are fine.
func checkHostName(text string) error {
	strange := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("-_.", r)
	}
	switch {
	case text == "":
		return errors.New("is empty")
	case strings.Contains(text, "://"):
		return errors.New("is a URL; write the host's name alone, and port and tls as keys of their own")
	case strings.ContainsFunc(text, unicode.IsSpace), strings.ContainsFunc(text, unicode.IsControl):
		return errors.New("holds a blank or a control character")
	case strings.ContainsRune(text, '@'):
		return errors.New("holds an @; write the server's name here and the user's name in username")
	case strings.ContainsRune(text, ':'):
		return errors.New("holds a colon; write host and port apart: host: pop.example.org, port: 995")
	case strings.ContainsFunc(text, strange), strings.HasPrefix(text, "."), strings.Contains(text, ".."):
		return errors.New("is no host name; write one such as pop.example.org")
	}
	return nil
}

func isUnix(host string) bool { return strings.HasPrefix(host, unixPrefix) }

// staysHere tells whether a connection to host surely does not leave this machine. Any other name
// may turn out to be loopback as well, but asking a resolver is no work for a configuration.
func staysHere(host string) bool {
	if isUnix(host) || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// isAddress tells whether host is an IP address and no name.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
