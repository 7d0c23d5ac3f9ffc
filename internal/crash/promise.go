package main

import "popsync/internal/realtest"

// What popsync promises, whatever happens to it, to the line, to the disk and to the mailbox:
//
//  1. Nothing is lost: at every moment each message lies on the server or was delivered.
//  2. Nothing comes twice. An agent (an MDA) may be handed again the one message that it was
//     being handed when popsync or the machine went down, or when the state could not be written.
//  3. What a mail reader can see is a whole message.
//  4. In the end, after a fetch that nobody disturbs and without a hand, every message is delivered,
//  5. the server holds what `keep` says, and what an agent has refused too often, and
//  6. nothing is left in tmp/ or in the spool.
//
// docs/reliability.md says the same to people, and under which conditions.

// evidence is what there is to see of a mailbox at one moment.
type evidence struct {
	sent realtest.Census // all that ever arrived on the server
	had  realtest.Census // delivered, wherever a reader put it, or deleted it
	held realtest.Census // lies on the server
	keep bool

	freed realtest.Census // with keep: was false before, and so it may be deleted; may be nil
	aside realtest.Census // of had, what an agent refused too often: it stays on the server; may be nil

	partial int // files that a reader saw and that were no whole message
	left    int // files in tmp/ and the spool
	window  int // how often an agent's message may have been in flight at an end
}

// atAnyMoment counts what breaks promises 1 to 3, and 5 as far as something is gone.
func (e evidence) atAnyMoment() (t tally) {
	safe := realtest.Census{}
	safe.Add(e.had)
	safe.Add(e.held)
	t.lost, _, _ = safe.Differ(e.sent)
	_, twice, foreign := e.had.Differ(e.sent)
	t.again = min(twice, e.window)
	t.twice = twice - t.again
	t.partial = e.partial + foreign
	if e.keep {
		t.server, _, _ = e.held.Differ(e.kept())
	}
	return t
}

// kept is what must lie on the server with keep.
func (e evidence) kept() realtest.Census {
	kept := realtest.Census{}
	for sum, n := range e.sent {
		kept[sum] = n - e.freed[sum]
	}
	return kept
}

// atRest counts what breaks promises 1 to 3, and 6 already, once popsync has ended by itself:
// only a kill leaves something behind.
func (e evidence) atRest() tally {
	t := e.atAnyMoment()
	t.left = e.left
	return t
}

// inTheEnd counts what breaks any promise once a fetch was left in peace.
func (e evidence) inTheEnd() tally {
	t := e.atRest()
	t.lost, _, _ = e.had.Differ(e.sent)
	if !e.keep {
		missing, more, foreign := e.held.Differ(e.aside)
		t.server = missing + more + foreign
	}
	return t
}
