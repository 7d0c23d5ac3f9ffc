package pop3

import (
	"context"
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
	Lines      []string // as sent, raw
	Pipelining bool
	STLS       bool
	SASL       []string      // mechanisms in upper case, in the server's order
	LoginDelay time.Duration // between two log-ins; at most a day is believed
}

// Capa asks for the capabilities and remembers them. A server that refuses has none.
func (c *Client) Capa(ctx context.Context) (Capabilities, error) {
	defer c.c.until(ctx)()
	if err := c.send("CAPA", "", "CAPA"); err != nil {
		return Capabilities{}, err
	}
	return c.capabilities, c.readCapa()
}

func (c *Client) readCapa() error {
	c.capabilities = Capabilities{}
	if _, err := c.ok(); err != nil {
		return refusalIsFine(err)
	}
	var lines []string
	err := c.readLines("CAPA", false, keepStatus, mostCapabilityOctets, func(l line) error {
		if len(lines) < mostCapabilities {
			lines = append(lines, string(c.hidden(l.text, l.cut)))
			c.c.trace("S: " + lines[len(lines)-1])
		}
		return nil
	})
	if err == nil {
		c.capabilities = parseCapabilities(lines)
	}
	return err
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
		switch strings.ToUpper(words[0]) {
		case "PIPELINING":
			caps.Pipelining = true
		case "STLS":
			caps.STLS = true
		case "SASL":
			for _, mechanism := range words[1:] {
				caps.SASL = append(caps.SASL, strings.ToUpper(mechanism))
			}
		case "LOGIN-DELAY":
			caps.LoginDelay = loginDelay(words[1:])
		}
	}
	return caps
}

// loginDelay reads the seconds of LOGIN-DELAY (RFC 2449, section 6.5). What is no number is no
// delay.
func loginDelay(args []string) time.Duration {
	if len(args) == 0 {
		return 0
	}
	seconds, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil && seconds == 0 { // out of range gives the largest number
		return 0
	}
	return time.Duration(min(seconds, 24*60*60)) * time.Second
}
