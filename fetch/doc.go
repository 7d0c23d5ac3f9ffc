// Package fetch polls accounts: it brings what is new on a server to an account's target, once,
// and deletes on the server what may go.
//
// One poll of one account is a session, and reads as the protocol does: what a crash left is
// settled; log in; list; plan what is to be done, as a pure function of the listing and the
// records; bring in the messages (stage, record the intent, publish, record the delivery, in
// batches that overlap with the line); delete what was delivered, and quit.
//
// A [Poller] runs the sessions of many accounts at once and tells of them in [Event]s.
package fetch
