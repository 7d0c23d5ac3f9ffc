package pop3

import (
	"context"
	"crypto/tls"
)

// STLS upgrades the connection to TLS (RFC 2595, section 4). Capabilities are forgotten. Octets
// that the server sent in clear behind its +OK are an attack, and end the session. config needs
// ServerName, or checks of its own.
func (c *Client) STLS(ctx context.Context, config *tls.Config) error {
	defer c.c.until(ctx)()
	if _, err := c.exchange("STLS", ""); err != nil {
		return err
	}
	if len(c.c.buffered()) > 0 {
		return c.fail(protocolErrorf("STLS: the server sent more in clear behind its +OK"))
	}
	c.capabilities = Capabilities{}
	secured := tlsClient(c.c.net, config)
	c.c.await(false)
	handshake := func([]byte) (int, error) { return 0, secured.Handshake() }
	if _, err := c.c.timed(c.c.left, handshake, nil); err != nil {
		return c.fail(c.c.handshakeFailure(err))
	}
	c.c.use(secured)
	return nil
}
