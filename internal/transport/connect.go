package transport

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"

	"popsync/internal/secret"
)

// HTTPConnect connects through the HTTP proxy at host:port with CONNECT (RFC 9110, section 9.3.6),
// which is reached by base; nil is the plain way. Names are resolved by the proxy and never looked
// up here. With a user the request has Basic credentials (RFC 7617), in the clear as ever.
func HTTPConnect(hostPort, user string, password secret.Value, base Dialer) Dialer {
	h := hop{hostPort, base}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return h.through(ctx, network, address, func(ctx context.Context, conn net.Conn, target string) error {
			c := connect{conn, target, user, password}
			return within(ctx, conn, c.ask)
		})
	}
}

// maxHead is the most that a proxy may say before the connection is through, in octets.
const maxHead = 16 << 10

// A connect is one request to an HTTP proxy.
type connect struct {
	conn     net.Conn
	target   string
	user     string
	password secret.Value
}

func (c connect) ask() error {
	if strings.Contains(c.user, ":") {
		return &refusal{"a user name with a colon cannot be told to an HTTP proxy", hintCredentials}
	}
	request := "CONNECT " + c.target + " HTTP/1.1\r\nHost: " + c.target + "\r\n"
	if c.user != "" {
		request += "Proxy-Authorization: Basic " + c.credentials() + "\r\n"
	}
	if _, err := io.WriteString(c.conn, request+"\r\n"); err != nil {
		return err
	}
	for left := maxHead; ; {
		head, err := c.readHead(&left)
		if err != nil {
			return err
		}
		if interim(head) {
			continue
		}
		return c.verdict(head)
	}
}

func (c connect) credentials() string {
	return base64.StdEncoding.EncodeToString([]byte(c.user + ":" + c.password.Reveal()))
}

// readHead reads an answer up to the blank line and not an octet further: what follows is the
// server's. left is what may still be read.
func (c connect) readHead(left *int) (head []byte, err error) {
	for octet := make([]byte, 1); ; {
		if *left == 0 {
			return nil, &refusal{fmt.Sprintf("gives an answer of more than %d KiB", maxHead>>10), hintSilent}
		}
		if _, err := io.ReadFull(c.conn, octet); err != nil {
			return nil, err
		}
		*left--
		head = append(head, octet[0])
		const begin = "HTTP/1."
		if n := min(len(head), len(begin)); string(head[:n]) != begin[:n] {
			return nil, &refusal{"speaks no HTTP", "if it is a SOCKS5 proxy, write socks5:// in proxy"}
		}
		if bytes.HasSuffix(head, []byte("\n\r\n")) || bytes.HasSuffix(head, []byte("\n\n")) {
			return head, nil
		}
	}
}

// statusLine is the first line of head, and its code's three digits, or "".
func statusLine(head []byte) (line, code string) {
	first, _, _ := bytes.Cut(head, []byte("\n"))
	line = strings.TrimRight(string(first), "\r ")
	words := strings.SplitN(line, " ", 3)
	if len(words) < 2 || len(words[1]) != 3 || strings.Trim(words[1], "0123456789") != "" {
		return line, ""
	}
	return line, words[1]
}

// interim says whether another answer follows (RFC 9110, section 15.2). Nobody has asked for
// the one that would change the protocol.
func interim(head []byte) bool {
	_, code := statusLine(head)
	return strings.HasPrefix(code, "1") && code != "101"
}

// verdict is nil for any 2xx; what such an answer says of a body does not count.
func (c connect) verdict(head []byte) error {
	line, code := statusLine(head)
	switch {
	case strings.HasPrefix(code, "2"):
		return nil
	case code == "407" && c.user == "":
		return &refusal{"wants a user name and a password" + c.schemes(head), "write proxy as http://USER:PASSWORD@HOST:PORT"}
	case code == "407":
		return &refusal{"authentication failed" + c.schemes(head), hintCredentials}
	case code == "403", code == "405":
		return &refusal{c.refuses(line), "ask the proxy's administrator to allow CONNECT to that host and port"}
	}
	return &refusal{c.refuses(line), hintFar}
}

func (c connect) refuses(line string) string {
	return "does not connect to " + c.target + ": " + short(c.hidden(line))
}

// hidden is text without what the proxy may have repeated of our secrets.
func (c connect) hidden(text string) string {
	if c.user == "" {
		return text
	}
	text = strings.ReplaceAll(text, c.credentials(), c.password.String())
	if secret := c.password.Reveal(); secret != "" {
		text = strings.ReplaceAll(text, secret, c.password.String())
	}
	return text
}

// schemes are the ways to authenticate that head offers where Basic, the only one that popsync
// knows, is none of them.
func (c connect) schemes(head []byte) string {
	var names []string
	for line := range strings.Lines(string(head)) {
		name, value, _ := strings.Cut(line, ":")
		if !strings.EqualFold(name, "Proxy-Authenticate") {
			continue
		}
		if strings.Contains(strings.ToLower(value), "basic") {
			return ""
		}
		scheme, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		names = append(names, short(c.hidden(scheme)))
	}
	if names == nil {
		return ""
	}
	return ": it takes " + strings.Join(names, ", ") + ", and popsync knows Basic alone"
}

// short is the beginning of what a stranger says.
func short(text string) string {
	const most = 200 // octets
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}
