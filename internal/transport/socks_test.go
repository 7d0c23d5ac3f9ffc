package transport

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"popsync/internal/secret"
)

// A socksServer is a SOCKS5 proxy for one connection (RFC 1928, RFC 1929).
type socksServer struct {
	user, password string // "": takes anybody
	reply          byte
	bound          string // the address in its answer; "": 0.0.0.0:0
	asked          *string
}

func socks(s socksServer) func(net.Conn) {
	return func(c net.Conn) {
		if s.serve(c) == nil {
			server(c)
		}
	}
}

func (s socksServer) serve(c net.Conn) error {
	head := make([]byte, 2)
	if _, err := io.ReadFull(c, head); err != nil {
		return err
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(c, methods); err != nil {
		return err
	}
	if err := s.authenticate(c, methods); err != nil {
		return err
	}
	address, err := readAddress(c)
	if err != nil {
		return err
	}
	if s.asked != nil {
		*s.asked = address
	}
	answer := string([]byte{5, s.reply, 0})
	if s.bound == "" {
		answer += "\x01\x00\x00\x00\x00\x00\x00"
	} else {
		answer += "\x03" + string([]byte{byte(len(s.bound))}) + s.bound + "\x00\x50"
	}
	_, err = io.WriteString(c, answer)
	if s.reply != 0 {
		return io.EOF
	}
	return err
}

func (s socksServer) authenticate(c net.Conn, methods []byte) error {
	if s.user == "" && strings.Contains(string(methods), "\x00") {
		_, err := c.Write([]byte{5, 0})
		return err
	}
	if s.user == "" || !strings.Contains(string(methods), "\x02") {
		_, _ = c.Write([]byte{5, 0xff})
		return io.EOF
	}
	if _, err := c.Write([]byte{5, 2}); err != nil {
		return err
	}
	var got [2]string
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		return err
	}
	for i := range got {
		text, err := readText(c)
		if err != nil {
			return err
		}
		got[i] = text
	}
	if got != [2]string{s.user, s.password} {
		_, _ = c.Write([]byte{1, 1})
		return io.EOF
	}
	_, err := c.Write([]byte{1, 0})
	return err
}

func readText(c net.Conn) (string, error) {
	n := make([]byte, 1)
	if _, err := io.ReadFull(c, n); err != nil {
		return "", err
	}
	text := make([]byte, n[0])
	_, err := io.ReadFull(c, text)
	return string(text), err
}

// readAddress is such as "name pop.example.org 995".
func readAddress(c net.Conn) (string, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		return "", err
	}
	var kind, host string
	switch head[3] {
	case 1, 4:
		ip := make(net.IP, map[byte]int{1: 4, 4: 16}[head[3]])
		if _, err := io.ReadFull(c, ip); err != nil {
			return "", err
		}
		kind, host = map[byte]string{1: "IPv4", 4: "IPv6"}[head[3]], ip.String()
	case 3:
		name, err := readText(c)
		if err != nil {
			return "", err
		}
		kind, host = "name", name
	}
	port := make([]byte, 2)
	_, err := io.ReadFull(c, port)
	return fmt.Sprintf("%s %s %d", kind, host, int(port[0])<<8|int(port[1])), err
}

// T8: names go to the proxy as names, whether they exist or not, and addresses as addresses.
func TestSOCKSResolvesAtTheProxy(t *testing.T) {
	for address, want := range map[string]string{
		"does-not-exist.invalid:995": "name does-not-exist.invalid 995",
		"localhost:110":              "name localhost 110",
		"192.0.2.1:110":              "IPv4 192.0.2.1 110",
		"[2001:db8::1]:995":          "IPv6 2001:db8::1 995",
	} {
		for _, bound := range []string{"", "a-name.example"} {
			t.Run(address+bound, func(t *testing.T) {
				var asked string
				inBubble(t, socks(socksServer{asked: &asked, bound: bound}), func(t *testing.T, f *fake) {
					if err := try(t, SOCKS5(proxyAt, "", secret.Value{}, f.dial), address); err != nil {
						t.Fatal(err)
					}
				})
				if asked != want {
					t.Errorf("the proxy was asked for %q, want %q", asked, want)
				}
			})
		}
	}
}

// T8, C11: international names go to the proxy in ASCII.
func TestSOCKSTellsInternationalNames(t *testing.T) {
	var asked string
	inBubble(t, socks(socksServer{asked: &asked}), func(t *testing.T, f *fake) {
		conn, err := SOCKS5(proxyAt, "", secret.Value{}, f.dial)(t.Context(), "tcp", "pop.bücher.example:995")
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	})
	if asked != "name pop.xn--bcher-kva.example 995" {
		t.Errorf("asked for %q", asked)
	}
}

// T8: user name and password.
func TestSOCKSAuthentication(t *testing.T) {
	long := strings.Repeat("x", 256)
	for name, c := range map[string]struct {
		server         socksServer
		user, password string
		words          string // of the error; "": it works
	}{
		"right":                     {socksServer{user: "alice", password: "geheim"}, "alice", "geheim", ""},
		"no password":               {socksServer{user: "alice"}, "alice", "", ""},
		"the proxy wants none":      {socksServer{}, "alice", "geheim", ""},
		"wrong password":            {socksServer{user: "alice", password: "other"}, "alice", "geheim", "authentication failed"},
		"none given":                {socksServer{user: "alice", password: "other"}, "", "", "wants a user name and a password"},
		"too long for the protocol": {socksServer{user: "alice", password: "other"}, "alice", long, "at most 255 octets"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, socks(c.server), func(t *testing.T, f *fake) {
				err := try(t, SOCKS5(proxyAt, c.user, secret.New(c.password), f.dial), "pop.example.org:995")
				if c.words == "" && err != nil {
					t.Error(err)
				}
				if c.words != "" {
					wantError(t, err, c.words)
				}
			})
		})
	}
	t.Run("the proxy wants something else", func(t *testing.T) {
		other := func(c net.Conn) {
			_, _ = io.ReadFull(c, make([]byte, 4))
			_, _ = c.Write([]byte{5, 0xff})
		}
		inBubble(t, other, func(t *testing.T, f *fake) {
			wantError(t, try(t, SOCKS5(proxyAt, "alice", secret.New("geheim"), f.dial), "h:1"), "takes neither")
		})
	})
}

// T8: each reply code in words (RFC 1928, section 6).
func TestSOCKSRefusals(t *testing.T) {
	for code, words := range map[byte]string{
		1:   "it does not say why",
		2:   "its rules do not allow it",
		3:   "network unreachable",
		4:   "host unreachable",
		5:   "connection refused",
		6:   "TTL expired",
		7:   "command not supported",
		8:   "address type not supported",
		240: "code: 240", // Tor has codes of its own from here on
	} {
		inBubble(t, socks(socksServer{reply: code}), func(t *testing.T, f *fake) {
			wantError(t, try(t, SOCKS5(proxyAt, "", secret.Value{}, f.dial), "pop.example.org:995"),
				"does not connect to pop.example.org:995: "+words)
		})
	}
}

// Nonsense in any place of the talk is an error and no more.
func TestSOCKSNonsense(t *testing.T) {
	for name, c := range map[string]struct{ answers, words string }{
		"another method":           {"\x05\x01", "makes no sense"},
		"another version":          {"\x05\x00\x04\x00\x00\x01", "speaks no SOCKS5"},
		"reserved octet":           {"\x05\x00\x05\x00\x01\x01", "makes no sense"},
		"unknown kind of address":  {"\x05\x00\x05\x00\x00\x09", "makes no sense"},
		"cut in the answer":        {"\x05\x00\x05\x00", "closes the connection instead of connecting"},
		"cut in the bound name":    {"\x05\x00\x05\x00\x00\x03\xff", "closes the connection instead of connecting"},
		"cut before a bound name":  {"\x05\x00\x05\x00\x00\x03", "closes the connection instead of connecting"},
		"cut in the authorization": {"\x05\x02\x01", "closes the connection instead of connecting"},
		"another authorization":    {"\x05\x02\x07\x00", "makes no sense"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, says(c.answers), func(t *testing.T, f *fake) {
				wantError(t, try(t, SOCKS5(proxyAt, "alice", secret.New("geheim"), f.dial), "h:1"), c.words)
			})
		})
	}
}
