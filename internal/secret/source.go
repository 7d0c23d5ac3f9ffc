package secret

import (
	"context"
	"errors"
	"os"
	"strings"
)

// A Source fetches a secret. It is asked before each log-in, so that a password that was
// changed is seen without a restart. Its errors name the source and what to do, never the secret.
type Source func(context.Context) (Value, error)

// Fixed is a source that has the secret already.
func Fixed(v Value) Source {
	return func(context.Context) (Value, error) {
		if err := check(v.Reveal()); err != nil {
			return Value{}, behind("", err, "write it into the configuration")
		}
		return v, nil
	}
}

// Env is the environment variable name.
func Env(name string) Source {
	return func(context.Context) (Value, error) {
		text, ok := os.LookupEnv(name)
		if !ok {
			return Value{}, hinted("export it where popsync is started; systemd and cron give none of those of the shell",
				"environment variable %s is not set", name)
		}
		v, err := firstLine(text)
		return v, behind("environment variable "+name+": ", err, "its first line is to be the password")
	}
}

// maxSize is the longest secret, in bytes; OAuth2 tokens of a few kB are the longest ones seen.
const maxSize = 64 << 10

// MaxOutput is how much has to be kept of what a source gives, in bytes: a secret of the greatest
// length, its line end, and one byte by which a longer one is noticed.
const MaxOutput = maxSize + len("\r\n") + 1

// firstLine takes the secret from what a source gave: its first line without the line end.
func firstLine(text string) (Value, error) {
	line, _, _ := strings.Cut(text, "\n")
	line = strings.TrimSuffix(line, "\r")
	if err := check(line); err != nil {
		return Value{}, err
	}
	return New(line), nil
}

var errEmpty = errors.New("the secret is empty")

// check refuses what cannot be sent as a password: a line of POP3 ends at CR LF, and no server
// agrees with another one on NUL. One that is too long may be cut as well: it is none.
func check(text string) error {
	switch {
	case text == "":
		return errEmpty
	case len(text) > maxSize:
		return hinted("see that it is the password, and nothing else", "the secret is longer than 64 KiB")
	case strings.ContainsAny(text, "\r\n"):
		return hinted("see that it is the password, and nothing else", "the secret holds a line end (CR or LF), which cannot be sent to a server")
	case strings.ContainsRune(text, 0):
		return hinted("see that it is the password, and nothing else", "the secret holds a NUL byte, which cannot be sent to a server")
	}
	return nil
}
