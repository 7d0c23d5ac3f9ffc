// Package transport leads to a server in a roundabout way: through a SOCKS5 or HTTP proxy, or
// through a program whose standard input and output are the connection.
//
// Every way is a [Dialer], bound in time by its context alone: connecting to the proxy and talking
// to it share what the context allows. What comes back is the bare line to the server, on which
// TLS is spoken as on any other.
package transport
