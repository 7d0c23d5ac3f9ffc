package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// ASCII is host as it is looked up and as it stands in certificates: a name in other letters in
// its xn-- form (RFC 5891), every other host as it is.
func ASCII(host string) (string, error) {
	if !strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return host, nil
	}
	if !utf8.ValidString(host) {
		return "", fmt.Errorf("%q is no host name: not UTF-8", host)
	}
	name, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return "", fmt.Errorf("%q is no international host name: %s", host, strings.TrimPrefix(err.Error(), "idna: "))
	}
	return name, nil
}

// longestName of a host in DNS, and in SOCKS5 too (RFC 1928, section 5), in octets.
const longestName = 255

// target is the address that a proxy is told: the host in ASCII, never looked up here.
func target(network, address string) (string, error) {
	if !strings.HasPrefix(network, "tcp") {
		return "", errors.New("a Unix socket cannot be reached through a proxy")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%q is no port", port)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return "", fmt.Errorf("%s: an interface of this machine means nothing to a proxy", host)
		}
		return net.JoinHostPort(addr.String(), port), nil
	}
	if host, err = ASCII(host); err != nil {
		return "", err
	}
	if host == "" || len(host) > longestName || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f || r == ':' }) {
		return "", fmt.Errorf("%q is no host name", host)
	}
	return net.JoinHostPort(host, port), nil
}
