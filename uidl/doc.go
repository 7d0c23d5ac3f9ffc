// Package uidl keeps the UIDL database: what each mailbox has had, the intents that are not
// settled yet, the last polls, and the history. A change of it is durable once [Box.Commit] returns.
//
// The database is one bbolt file with one owner at a time:
//
//	meta        version, id, created, mailboxes (the set of the mailboxes' keys)
//	mailboxes
//	  KEY       one bucket a mailbox; KEY is host NUL port NUL user
//	    head    KEY NUL account
//	    poll    a Poll in JSON
//	    tally   which records, intents and events there must be, and the next number of the latter two
//	    records UID NUL rank (4 bytes, big-endian) → Record
//	    intents the same key → Intent
//	    history number (8 bytes, big-endian) → Event; the bucket may be missing
//
// bbolt notices no damage inside a page, and damage must neither crash the program nor make it
// fetch everything again. So three things are checked. The shape of the file, before bbolt sees
// it (pages.go), unless the owner before has vouched for it (vouch.go). Each value, by a checksum over key and value. And that nothing is missing, by
// tallies: a record that is not there would look like a message that never was.
//
// # History
//
// It is written in the transactions that change records, and read by nobody but people: so damage
// in it stops no commit. New events go behind those that are there, whatever these are, and old
// ones go with time; what is damaged stays where it is, until [Repair]. [Box.History] yields what
// is whole and then says that something is not; [DB.Verify] and [DB.Summaries] say it too, and
// [DB.KeepGood] takes no copy. Only where the file is out of shape, in a page of the history or
// any other, does the state not open.
//
// # Copies
//
//	PATH                  the state, or a link to it
//	PATH.lock             says who owns it (lock.go)
//	PATH.new              the next content of PATH, until it is whole; what a crash leaves of it goes
//	PATH.good             a copy of at most a day ago, in which everything was sound ([DB.KeepGood])
//	PATH.good.new         the next one
//	PATH.good.ID          the last good copy of a state with another ID, which was there before
//	PATH.damaged-TIME     what [Repair] found at PATH
//
// The content of PATH is exchanged as a whole, by [DB.Compact] and Repair, in this order: written
// beside and synced, read back and compared or verified, renamed, the folder synced. Nothing but
// Repair makes a state of a good copy: what the copy does not know would be fetched again.
//
// # Repair
//
// A damaged file is read without bbolt (wreck.go): from the newest header down, each page and each
// element for itself, and nothing is believed that has no checksum (salvage.go). A leaf that is not
// the right one, although it is whole, shows by the tally only (heap.go). What is left is joined
// with the good copy where something is missing, and only there (rescue.go).
package uidl
