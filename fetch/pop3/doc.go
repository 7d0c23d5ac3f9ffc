// Package pop3 is a POP3 client on the wire (RFC 1939, 2449, 2595): pipelined where the server
// can take it, streaming, and bounded in all that a server may send.
//
// A [Client] is used by one goroutine at a time. Its methods are the protocol's commands. A
// [*ResponseError] is the server's refusal of one command, and the session goes on. After any
// other error nothing is believed from the connection any more: every later call returns that
// same error.
package pop3
