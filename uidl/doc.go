// Package uidl keeps the UIDL database: what each mailbox has had, the intents that are not
// settled yet, and the last polls. A change of it is durable once [Box.Commit] returns.
//
// The database is one bbolt file with one owner at a time:
//
//	meta        version, id, created, mailboxes (the set of the mailboxes' keys)
//	mailboxes
//	  KEY       one bucket a mailbox; KEY is host NUL port NUL user
//	    head    KEY NUL account
//	    poll    a Poll in JSON
//	    tally   which records and intents there must be
//	    records UID NUL rank (4 bytes, big-endian) → Record
//	    intents the same key → Intent
//
// bbolt notices no damage inside a page, and damage must neither crash the program nor make it
// fetch everything again. So three things are checked. The shape of the file, before bbolt sees
// it (pages.go). Each value, by a checksum over key and value. And that nothing is missing, by
// tallies: a record that is not there would look like a message that never was.
package uidl
