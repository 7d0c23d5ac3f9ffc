package pop3

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	mostCapabilities     = 1 << 10 // lines that are looked at
	mostCapabilityOctets = 4 << 20 // after which the list is given up
)

// Capabilities are what a server says that it can do (RFC 2449). None is certain: some work
// without being announced, and the list changes with STLS and with the log-in.
type Capabilities struct {
	Lines          []string // as sent, raw but for secrets
	Pipelining     bool
	STLS           bool
	User           bool
	SASL           []string      // mechanisms in upper case, in the server's order
	LoginDelay     time.Duration // between two log-ins; at most a day is believed
	Expire         Expire
	TOP, UIDL      bool
	RespCodes      bool   // [LOGIN-DELAY] and [IN-USE] (RFC 2449, section 6.4)
	AuthRespCode   bool   // [AUTH], [SYS/TEMP] and [SYS/PERM] (RFC 3206)
	UTF8           bool   // RFC 6856
	Lang           bool   // RFC 6856, section 3
	Implementation string // what the server calls itself, raw but for secrets
}

// Expire is how long a server keeps mail that was fetched (RFC 2449, section 6.7).
type Expire struct {
	Announced bool
	Never     bool // it is kept
	Days      int  // 0: mail may be gone at QUIT; at most 36500 are believed
}

// Capa asks for the capabilities and remembers them. A server that refuses has none.
func (c *Client) Capa(ctx context.Context) (Capabilities, error) {
	defer c.c.until(ctx)()
	if err := c.send("CAPA", "", "CAPA"); err != nil {
		return Capabilities{}, err
	}
	err := c.readCapa()
	return c.capabilities, err
}

func (c *Client) readCapa() error {
	c.capabilities = Capabilities{}
	if _, err := c.ok(); err != nil {
		return refusalIsFine(err)
	}
	var lines []string
	err := c.readLines("CAPA", false, keepStatus, mostCapabilityOctets, func(l line) error {
		if len(lines) < mostCapabilities {
			lines = append(lines, string(l.text))
			c.c.trace("S: " + string(c.hidden(l.text, l.cut)))
		}
		return nil
	})
	if err == nil {
		c.capabilities = c.withoutSecrets(parseCapabilities(lines))
	}
	return err
}

// withoutSecrets is caps as it may be shown. What it means stays: a password may be "stls".
func (c *Client) withoutSecrets(caps Capabilities) Capabilities {
	for i, l := range caps.Lines {
		caps.Lines[i] = string(c.hidden([]byte(l), len(l) == keepStatus))
	}
	caps.Implementation = parseCapabilities(caps.Lines).Implementation
	return caps
}

// refusalIsFine is err unless it is the server's refusal of a command that is not needed.
func refusalIsFine(err error) error {
	if isRefusal(err) {
		return nil
	}
	return err
}

// parseCapabilities understands what it knows, in any case, and passes over the rest.
func parseCapabilities(lines []string) Capabilities {
	caps := Capabilities{Lines: lines}
	for _, l := range lines {
		words := strings.Fields(l)
		if len(words) == 0 {
			continue
		}
		switch args := words[1:]; strings.ToUpper(words[0]) {
		case "PIPELINING":
			caps.Pipelining = true
		case "STLS":
			caps.STLS = true
		case "USER":
			caps.User = true
		case "TOP":
			caps.TOP = true
		case "UIDL":
			caps.UIDL = true
		case "RESP-CODES":
			caps.RespCodes = true
		case "AUTH-RESP-CODE":
			caps.AuthRespCode = true
		case "UTF8":
			caps.UTF8 = true
		case "LANG":
			caps.Lang = true
		case "SASL":
			for _, mechanism := range args {
				caps.SASL = append(caps.SASL, strings.ToUpper(mechanism))
			}
		case "LOGIN-DELAY":
			seconds, _ := number(args, 24*60*60)
			caps.LoginDelay = time.Duration(seconds) * time.Second
		case "EXPIRE":
			caps.Expire = expire(args)
		case "IMPLEMENTATION":
			caps.Implementation = strings.Join(args, " ")
		}
	}
	return caps
}

// expire reads "NEVER" or days; what is neither says nothing.
func expire(args []string) Expire {
	if len(args) > 0 && strings.EqualFold(args[0], "NEVER") {
		return Expire{Announced: true, Never: true}
	}
	days, ok := number(args, 36500)
	return Expire{Announced: ok, Days: days}
}

// number is the first of args, at most most. What follows it, such as USER, says that the number
// is the user's own, and that the list after the log-in has it.
func number(args []string, most int) (int, bool) {
	if len(args) == 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return int(min(n, uint64(most))), true
}
