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
// USER and PASS, by APOP with [Options.Stamp], and by AUTH (RFC 5034) with [Options.SASL].
//
// A [HookFunc] chooses another answer to a command, an [Action]: raw octets, silence, a connection that
// ends in one of several ways, half an answer, a flood. Actions combine by [Seq] and [After]. A [Door] has
// its say in each log-in, whatever the mechanism. What a client tried is in [Session.Attempts], decoded.
//
// Three ways lead to a server. [New] listens on loopback. [NewPipe] listens nowhere: its sessions run
// over net.Pipe, so that they work, and wait in no time, in a testing/synctest bubble. [Start] is for a
// program that is no test.
//
// # Servers as they are
//
// [Gmail], [Exchange], [Dovecot], [Courier], [Perdition], [SolidPOP3D], [WebDE] and [Yandex] are Options to
// begin with. Each call makes one server's: what its doors remember is shared by all that get the value.
//
// # What it can do wrong, and the requirement that it is for
//
// Log-in:
//   - A1 no mechanism, or other ones in clear and under TLS: [Options.SASL], [Options.SASLClear]; no USER or AUTH in clear: [InClear]
//   - A1 a greeting with a bad time stamp, or another one in each session: [Options.Stamp], [Greet]
//   - A1 -PLUS with one kind of channel binding: [Auth.Bindings]; a list that was changed on its way: a "y" is refused
//   - A2 an initial response refused or passed over: [Auth.NoInitial], [Auth.IgnoresInitial]
//   - A2 a line or a response that is too long ends the connection: [Auth.Limit], [Auth.ResponseLimit]
//   - A2 "+" without a blank: [BarePlus]; an odd challenge at any place: [NthChallenge]; odd ones only: [Challenges], [EndlessChallenges]
//   - A2 a token refused with a challenge, or without: [Auth.TokenError], [Auth.NoTokenError]; then renewed: [Mailbox.SetToken], [Mailbox.AcceptToken]
//   - A3 a huge, odd or missing iteration count: [Count]; a nonce that does not continue: [ForeignNonce]
//   - A3 a wrong signature, or none: [WrongSignature], [NoSignature]; +OK all the same: [Auth.Insists]; a reason in SCRAM's words: [Auth.SCRAMErrors]
//   - A4 a refusal with any code: [Refuses], [RefusesFirst] with [InUse], [TooSoon], [SysTemp], [SysPerm]; in any words: [Options.Refusal]
//   - A4 +OK to the log-in and -ERR to all that follows: a hook of UIDL
//   - A9 the answer held back: [Delays]; for everybody after failures: [Penalty]
//   - A9 an early log-in refused: [LoginDelay]; like a wrong password: [EarlyIsWrong]
//   - A5 the connection closed behind a refusal: [Closes]; behind the credentials: a door that is [Cut]
//
// TLS:
//   - T1 STLS missing, refused, silent, closed: [Options.STLS], and a hook of STLS with [Send], [Stall], [Cut]
//   - T2 octets in clear behind the +OK to STLS: [Send] and [StartTLS]; those of a client: [Session.Dropped]
//   - T3, T4 certificates of every [Kind]
//   - T5 versions: [Options.TLS]
//   - T6 client certificates, and EXTERNAL: ClientAuth in [Options.TLS]
//   - T1, T7 what was sent in clear: [Session.Clear]
//
// The wire:
//   - W1, W2 any octets: [Mailbox.Add]; replies split anywhere: [Options.Chunk]
//   - W3 large and endless messages: [Mailbox.AddFunc], [Endless]; listings: [Server.ListingFunc]; lines: [Flood]
//   - W4 long status lines: [Send], [Flood], [Drip]
//   - W5 numbers: a hook of STAT, [Server.ListingFunc]
//   - W6, R7 sizes that are wrong, too small for what comes: [Mailbox.AddFunc]
//   - W7 a server that stops reading while it writes: [Options.ReadAhead], [Options.Buffers]
//   - W7, W8 early commands lost: [Loses], [Conn.Forget]
//   - W8 few errors allowed: [Options.MaxErrors]
//   - W9 -ERR for one message: [WithArg]
//   - W10 silence anywhere: [Stall]; lateness: [Late], [Sleep]; dripping: [Drip], [Slowly]
//   - W11 QUIT cut with and without effect: [Commit], [DeletesNothing], [Cut]
//   - W12 other capabilities before and after the log-in: [Options.Capabilities]; wrapped 8-bit mail: [Options.WrapsUTF8]
//   - W13 no CAPA, or one that closes or stalls: a hook of CAPA with [Send], [Cut], [Stall]; capabilities left out: [Capabilities]
//   - W14 UIDs of any form, repeated ones: [Mailbox.Add]
//   - W15 all UIDs new at once: [Mailbox.Renumber]
//   - W16 new UIDs in each session: [Options.NewUIDs]
//   - W17 any octets in any answer: [Send]
//   - W18 names and passwords are compared byte for byte
//   - W19 an end after any octet: [After] with [Cut], [CutTLS], [Reset]
//   - R6 DELE without effect: [DeletesNothing]
//   - R7 a window, that moves with deletions or by retrieval: [Options.Window], [Options.Popped]
package poptest
