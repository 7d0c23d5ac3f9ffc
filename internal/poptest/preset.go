package poptest

import (
	"bytes"
	"io"
	"time"
)

// Gmail is pop.gmail.com as its help pages and one capability list of 2025 have it: UIDL lists the window
// oldest messages that no session has retrieved, what was retrieved is gone from it after QUIT, and
// "recent:" before the user name lists everything. Its LOGIN-DELAY is announced and not enforced: see
// [LoginDelay].
func Gmail(window int) Options {
	return Options{
		Greeting:     "+OK Gpop ready for requests",
		Capabilities: []string{"USER", "RESP-CODES", "EXPIRE 0", "LOGIN-DELAY 300", "TOP", "UIDL", "X-GOOGLE-RICO"},
		SASL:         []string{"PLAIN", "XOAUTH2", "OAUTHBEARER"},
		Refusal:      "-ERR [AUTH] Username and password not accepted.",
		Window:       window,
		Popped:       true,
	}
}

// Exchange is outlook.office365.com (issue threads of getmail6, mpop and others): tokens in two lines only,
// "+" without a blank, no response codes, no challenge that says why a token is refused.
func Exchange() Options {
	return Options{
		Greeting:     "+OK The Microsoft Exchange POP3 service is ready.",
		Capabilities: []string{"TOP", "UIDL", "USER"},
		SASL:         []string{"PLAIN", "XOAUTH2"},
		Refusal:      "-ERR Authentication failure: unknown user name or bad password.",
		Auth:         Auth{Limit: 255, Challenge: BarePlus, NoTokenError: true},
		Hooks: map[string]HookFunc{
			"STLS": Always(Send("-ERR Command is not valid in this state.\r\n")),
		},
	}
}

// Dovecot is dovecot-pop3d 2.3.19 after its penalty has begun: see [Penalty].
func Dovecot() Options {
	return Options{
		Greeting:     "+OK Dovecot ready.",
		Capabilities: []string{"CAPA", "TOP", "UIDL", "RESP-CODES", "PIPELINING", "AUTH-RESP-CODE", "USER"},
		SASL:         []string{"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"},
		Refusal:      "-ERR [AUTH] Authentication failed.",
		Auth:         Auth{ResponseLimit: 8188},
		Doors:        []Door{Penalty(500*time.Millisecond, 17*time.Second)},
	}
}

// Courier is courier-pop 1.0.16: announces PIPELINING and loses what comes early behind PASS, offers
// CRAM-MD5 in the clear alone, wraps messages with raw 8-bit headers, and refuses after 5 s.
func Courier() Options {
	return Options{
		Greeting: "+OK Hello there.",
		Capabilities: []string{
			"TOP", "USER", "LOGIN-DELAY 10", "PIPELINING", "UIDL", "IMPLEMENTATION Courier Mail Server",
		},
		SASL:      []string{"PLAIN", "LOGIN"},
		SASLClear: []string{"PLAIN", "LOGIN", "CRAM-MD5"},
		Refusal:   "-ERR Login failed.",
		WrapsUTF8: true,
		Doors:     []Door{Delays(0, 5*time.Second)},
		Hooks:     map[string]HookFunc{"PASS": Loses(0), "AUTH": Loses(0)},
	}
}

// Perdition is perdition 2.2 in front of Dovecot: the capabilities are others behind the log-in, and what
// comes early behind PASS is lost.
func Perdition() Options {
	return Options{
		Greeting:          "+OK POP3 perdition ready on pop.example.org 0002b7a8",
		Capabilities:      []string{"UIDL", "USER"},
		CapabilitiesAfter: Dovecot().Capabilities,
		Hooks:             map[string]HookFunc{"PASS": Loses(0)},
	}
}

// SolidPOP3D is solid-pop3d 0.15: no CAPA, closes at the fifth wrong command and at the first wrong password.
func SolidPOP3D() Options {
	return Options{
		Greeting:  "+OK Solid POP3 server ready <7713.1732463000@pop.example.org>",
		Refusal:   "-ERR authentication failed",
		MaxErrors: 5,
		Doors:     []Door{Closes(1)},
		Hooks:     map[string]HookFunc{"CAPA": Always(Send("-ERR unknown command\r\n"))},
	}
}

// WebDE refuses a good log-in like a wrong password where the last good one is less than d ago.
func WebDE(d time.Duration) Options {
	return Options{
		Refusal: "-ERR wrong username or password",
		Doors:   []Door{EarlyIsWrong(d)},
	}
}

// Yandex takes DELE and QUIT, and deletes nothing.
func Yandex() Options {
	return Options{Hooks: map[string]HookFunc{"QUIT": Always(DeletesNothing)}}
}

// DeletesNothing is an answer to QUIT that says +OK and forgets the deletions.
func DeletesNothing(c *Conn) error {
	return Seq(Send("+OK bye\r\n"), Cut)(c)
}

// Loses answers as usual and throws away what came before the answer was sent, or comes within d before
// it: a hook for PASS or AUTH. The client waits for ever for those answers.
func Loses(d time.Duration) HookFunc {
	return Always(func(c *Conn) error {
		if err := c.Flush(); err != nil {
			return err
		}
		if d > 0 {
			c.Early(d)
		}
		if err := Default(c); err != nil {
			return err
		}
		c.Forget()
		return nil
	})
}

// InClear answers with a as long as there is no TLS, and as usual then: a server that refuses USER or AUTH,
// or has no CAPA, before STLS.
func InClear(a Action) HookFunc {
	return func(c *Conn, _ string) Action {
		if c.TLS() == nil {
			return a
		}
		return Default
	}
}

// Endless writes line again and again, for [Mailbox.AddFunc]: a message that has no end, whatever LIST says.
func Endless(line string) func(io.Writer) error {
	return func(w io.Writer) error {
		many := bytes.Repeat([]byte(line), max(1, outSize/len(line)))
		for {
			if _, err := w.Write(many); err != nil {
				return err
			}
		}
	}
}
