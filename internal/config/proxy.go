package config

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"popsync/internal/secret"
)

// proxySchemes are the proxies there are, and their usual ports. socks5h says that the proxy
// looks up the name, which popsync always leaves to it.
var proxySchemes = map[string]struct {
	scheme string
	port   int
}{
	"socks5": {"socks5", 1080}, "socks5h": {"socks5", 1080}, "http": {"http", 8080},
}

var errNoProxy = errors.New("is no proxy; write socks5://host:1080 or http://host:8080, with user:password@ before the host " +
	"where it asks for them, and special characters in those as %XX (@ is %40)")

// readProxy reads the URL of a proxy. It may hold a password, so no error repeats a part of it.
func readProxy(text string) (*Proxy, error) {
	u, err := url.Parse(text)
	if err != nil || !strings.Contains(text, "://") || u.Host == "" {
		return nil, errNoProxy
	}
	kind, known := proxySchemes[u.Scheme]
	switch {
	case !known:
		return nil, errors.New("begins with another word than socks5:// or http://, and no other proxies are understood")
	case u.Path != "" && u.Path != "/", strings.ContainsAny(text, "?#"):
		return nil, errors.New("holds more than host and port; in a user name or a password write / as %2F, ? as %3F and # as %23")
	}
	p := &Proxy{Scheme: kind.scheme, User: u.User.Username()}
	if p.Host, err = readHost(u.Hostname()); err != nil || isUnix(p.Host) {
		return nil, errNoProxy
	}
	if p.Port, err = portOfURL(u, kind.port); err != nil {
		return nil, err
	}
	password, _ := u.User.Password()
	p.Password = secret.New(password)
	return p, checkProxyUser(p)
}

// checkProxyUser refuses what a proxy cannot be told: RFC 1929 has one octet for each length,
// and RFC 7617 ends the user name at the first colon.
func checkProxyUser(p *Proxy) error {
	const most = 255
	password := p.Password.Reveal()
	switch {
	case p.User == "" && password != "":
		return errors.New("has a password and no user name before it")
	case p.Scheme == "socks5" && max(len(p.User), len(password)) > most:
		return errors.New("has a user name or a password of more than 255 octets, which SOCKS5 has no room for")
	case p.Scheme == "http" && strings.Contains(p.User, ":"):
		return errors.New("has a user name with a colon, which HTTP cannot send")
	}
	return nil
}

// portOfURL is the port of u, otherwise if it has none.
func portOfURL(u *url.URL, otherwise int) (int, error) {
	if u.Port() == "" {
		return otherwise, nil
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil || port < 1 || port > 65535 {
		return 0, errors.New("has a port out of range; expected one from 1 to 65535")
	}
	return port, nil
}
