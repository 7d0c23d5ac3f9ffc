package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"popsync/internal/secret"
)

// T8
func TestProxies(t *testing.T) {
	for url, want := range map[string]Proxy{
		"socks5://127.0.0.1:9050":        {Scheme: "socks5", Host: "127.0.0.1", Port: 9050},
		"socks5h://tor.example.org":      {Scheme: "socks5", Host: "tor.example.org", Port: 1080},
		"SOCKS5://Tor.Example.ORG:":      {Scheme: "socks5", Host: "tor.example.org", Port: 1080},
		"http://[::1]":                   {Scheme: "http", Host: "::1", Port: 8080},
		"http://gate.example.org:3128/":  {Scheme: "http", Host: "gate.example.org", Port: 3128},
		"http://u@h":                     {Scheme: "http", Host: "h", Port: 8080, User: "u"},
		"http://u:p@h":                   {Scheme: "http", Host: "h", Port: 8080, User: "u", Password: secret.New("p")},
		"socks5://a%40b:p%2F%3F%23%3A@h": {Scheme: "socks5", Host: "h", Port: 1080, User: "a@b", Password: secret.New("p/?#:")},
		"socks5://a:p:q@h":               {Scheme: "socks5", Host: "h", Port: 1080, User: "a", Password: secret.New("p:q")},
		"socks5://a:100%25@h":            {Scheme: "socks5", Host: "h", Port: 1080, User: "a", Password: secret.New("100%")},
	} {
		t.Run(url, func(t *testing.T) {
			c, err := load(t, with("proxy: '"+url+"'"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&want, c.Accounts[0].Proxy); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// C1: hunter2 is shown by none of the errors.
func TestErrorsOfProxies(t *testing.T) {
	const (
		noProxy = "is no proxy; write socks5://host:1080 or http://host:8080, with user:password@ before the host " +
			"where it asks for them, and special characters in those as %XX (@ is %40)"
		more = "holds more than host and port; in a user name or a password write / as %2F, ? as %3F and # as %23"
	)
	long := strings.Repeat("x", 256)
	for url, want := range map[string]string{
		"127.0.0.1:9050":            noProxy,
		"localhost:9050":            noProxy,
		"socks5:hunter2":            noProxy,
		"socks5://":                 noProxy,
		"socks5://u:hunter2@":       noProxy,
		"socks5://u:hunter2@h%zz":   noProxy,
		"socks5://u:100%hunter2@h":  noProxy,
		"socks5://u:hunter2/x@h":    noProxy,
		"socks5://u:hunter2@h:pop3": noProxy,
		"socks5://u:hunter2@h..x":   noProxy,
		"'socks5://u:hunter2@h x'":  noProxy,
		"socks5://hunter2/x":        more,
		"http://h?hunter2":          more,
		"http://h/#hunter2":         more,
		"https://u:hunter2@h":       "begins with another word than socks5:// or http://, and no other proxies are understood",
		"socks4://h":                "begins with another word than socks5:// or http://, and no other proxies are understood",
		"http://h:0":                "has a port out of range; expected one from 1 to 65535",
		"http://u:hunter2@h:99999":  "has a port out of range; expected one from 1 to 65535",
		"socks5://:hunter2@h":       "has a password and no user name before it",
		"http://u%3A:hunter2@h":     "has a user name with a colon, which HTTP cannot send",
		"socks5://u:" + long + "@h": "has a user name or a password of more than 255 octets, which SOCKS5 has no room for",
		"socks5://" + long + "@h":   "has a user name or a password of more than 255 octets, which SOCKS5 has no room for",
		`""`:                        noProxy,
		"[socks5://h]":              "found a list, expected socks5://host:1080 or http://host:8080",
	} {
		t.Run(url, func(t *testing.T) {
			wantErrors(t, with("proxy: "+url), "popsync.yaml:7:12: accounts[0].proxy: "+want)
		})
	}
}

// C2: what is a host and a port up to the # may be a user and the beginning of a password.
func TestProxyIsNotCutShort(t *testing.T) {
	wantErrors(t, with("proxy: http://u:12 #3@h"),
		`popsync.yaml:7:12: accounts[0].proxy: ends at the #, which begins a comment; quote the password, or write the comment as "# …"`)
}

func TestErrorsOfWays(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  string
	}{
		{
			"a proxy and a program",
			[]string{"proxy: socks5://h", "connect_command: [ssh, gate]"},
			"popsync.yaml:8:22: accounts[0].connect_command: contradicts proxy in line 7; take one of them out",
		},
		{
			"a program in one text",
			[]string{"connect_command: ssh gate"},
			"popsync.yaml:7:22: accounts[0].connect_command: is one text; write a list, [/path/to/program, argument]: no shell takes it apart",
		},
		{
			"no program",
			[]string{"connect_command: []"},
			"popsync.yaml:7:22: accounts[0].connect_command: names no program",
		},
		{
			"a socket by a proxy",
			[]string{"host: unix:/pop.sock", "tls_server_name: h", "proxy: socks5://h"},
			"popsync.yaml:8:12: accounts[0].proxy: contradicts the host in line 6; a socket is on this machine",
		},
		{
			"a socket by a program",
			[]string{"host: unix:/pop.sock", "tls_server_name: h", "connect_command: [a]"},
			"popsync.yaml:8:22: accounts[0].connect_command: contradicts the host in line 6; a socket is on this machine",
		},
		{
			"T7: clear text by a proxy, to this machine as it seems",
			[]string{"host: localhost", "tls: none", "proxy: socks5://localhost"},
			"popsync.yaml:7:10: accounts[0].tls: none would send password and mail in clear by proxy in line 8; " +
				"write implicit or starttls, or allow_cleartext: true if that is meant",
		},
		{
			"T7: clear text by a program",
			[]string{"tls: none", "connect_command: [a]", "allow_cleartext: false"},
			"popsync.yaml:7:10: accounts[0].tls: none would send password and mail in clear by connect_command in line 8; " +
				"write implicit or starttls, or allow_cleartext: true if that is meant",
		},
	} {
		t.Run(c.name, func(t *testing.T) { wantErrors(t, with(c.lines...), c.want) })
	}
}
