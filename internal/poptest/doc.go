// Package poptest is a POP3 server for tests: correct until it is told what to do wrong.
//
//	s := poptest.New(t, poptest.Options{})
//	s.Mailbox("alice").Add("uid-1", []byte("Subject: hello\r\n\r\nworld\r\n"))
//	s.Hook("RETR", poptest.Nth(2, poptest.After(100, poptest.Reset)))
//	… fetch from s.Addr() as alice, with poptest.Password …
//	for _, session := range s.Sessions() { … }
//
// By itself it keeps to RFC 1939, RFC 2449 (CAPA, PIPELINING, response codes), RFC 2595 (STLS) and
// RFC 3206 ([AUTH]): a session works on a snapshot of its mailbox, and QUIT alone deletes. Log-in is by
// USER and PASS; other mechanisms are a hook of AUTH or APOP that ends in [Conn.LogIn].
//
// A [HookFunc] chooses another answer to a command, an [Action]: raw octets, silence, a connection that
// ends in one of several ways, half an answer, a flood. Actions combine by [Seq] and [After].
//
// Three ways lead to a server. [New] listens on loopback. [NewPipe] listens nowhere: its sessions run
// over net.Pipe, so that they work, and wait in no time, in a testing/synctest bubble. [Start] is for a
// program that is no test.
package poptest
