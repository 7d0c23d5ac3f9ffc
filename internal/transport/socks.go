package transport

import (
	"context"
	"errors"
	"net"
	"strings"

	"golang.org/x/net/proxy"

	"popsync/internal/secret"
)

// SOCKS5 connects through the SOCKS5 proxy at host:port (RFC 1928), which is reached by base; nil
// is the plain way. Names are resolved by the proxy and never looked up here. user may be empty:
// then the proxy has to take anybody (RFC 1929).
func SOCKS5(hostPort, user string, password secret.Value, base Dialer) Dialer {
	h := hop{hostPort, base}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return h.through(ctx, network, address, func(ctx context.Context, conn net.Conn, target string) error {
			var auth *proxy.Auth
			if user != "" {
				auth = &proxy.Auth{User: user, Password: password.Reveal()}
			}
			return askSOCKS(ctx, conn, target, auth)
		})
	}
}

func askSOCKS(ctx context.Context, conn net.Conn, target string, auth *proxy.Auth) error {
	if auth != nil && (len(auth.User) > 255 || len(auth.Password) > 255) {
		return &refusal{"user name and password are at most 255 octets long in SOCKS5", hintCredentials}
	}
	d, err := proxy.SOCKS5("tcp", "", auth, given{conn})
	if err != nil {
		return err
	}
	_, err = d.(proxy.ContextDialer).DialContext(ctx, "tcp", target)
	return socksError(err, target, auth != nil)
}

// given is a dialer that has its connection already.
type given struct{ conn net.Conn }

func (g given) Dial(string, string) (net.Conn, error) { return g.conn, nil }

func (g given) DialContext(context.Context, string, string) (net.Conn, error) { return g.conn, nil }

const hintCredentials = "check user name and password in proxy"

// socksError turns the words of x/net/proxy, which has no types for them, into a refusal.
func socksError(err error, target string, authenticated bool) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok {
		return err
	}
	said := op.Err.Error()
	switch code, refused := strings.CutPrefix(said, "unknown error "); {
	case refused:
		return socksRefusal(strings.TrimPrefix(code, "unknown "), target)
	case said == "no acceptable authentication methods" && authenticated:
		return &refusal{"takes neither user name and password nor anybody without", "popsync can prove nothing else to a SOCKS5 proxy"}
	case said == "no acceptable authentication methods":
		return &refusal{"wants a user name and a password", "write proxy as socks5://USER:PASSWORD@HOST:PORT"}
	case said == "username/password authentication failed":
		return &refusal{"authentication failed", hintCredentials}
	case strings.HasPrefix(said, "unexpected protocol version"):
		return &refusal{"speaks no SOCKS5", "if it is an HTTP proxy, write http:// in proxy"}
	case strings.HasPrefix(said, "unsupported authentication method"),
		strings.HasPrefix(said, "unknown address type"),
		said == "invalid username/password version",
		said == "non-zero reserved field":
		return &refusal{"gives an answer that makes no sense in SOCKS5: " + said, hintSilent}
	}
	return op.Err
}

// socksRefusal is a reply code in words.
func socksRefusal(code, target string) *refusal {
	hint := hintFar
	switch code {
	case "general SOCKS server failure":
		code = "it does not say why"
		hint = "see the proxy's own log; often the host's name or port is wrong"
	case "connection not allowed by ruleset":
		code = "its rules do not allow it"
		hint = "ask the proxy's administrator to allow that host and port"
	case "command not supported", "address type not supported":
		hint = "this proxy cannot do it; use another one"
	}
	return &refusal{"does not connect to " + target + ": " + code, hint}
}
