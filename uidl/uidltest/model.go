package uidltest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"popsync/uidl"
)

// A model is what a mailbox should hold.
type model struct {
	records map[uidl.Ref]uidl.Record
	intents []uidl.Intent
	poll    uidl.Poll
	history []uidl.Event
}

// apply does what Commit says. It reports false, and changes nothing, for a change that must be
// refused.
func (m *model) apply(c uidl.Change) bool {
	ended := c.Abandon
	for _, e := range c.Confirm {
		ended = append(slices.Clip(ended), e.Ref)
	}
	open := slices.DeleteFunc(slices.Clone(m.intents), func(in uidl.Intent) bool {
		return slices.Contains(ended, in.Ref)
	})
	for _, in := range c.Intend {
		if slices.ContainsFunc(open, func(o uidl.Intent) bool { return o.Ref == in.Ref }) {
			return false
		}
		open = append(open, in)
	}
	m.intents = open
	for _, e := range slices.Concat(c.Confirm, c.Update) {
		m.records[e.Ref] = e.Record
	}
	for _, r := range c.Forget {
		delete(m.records, r)
	}
	m.history = append(m.history, c.History...)
	if c.Poll != nil {
		m.poll = *c.Poll
		m.forget(max(c.Poll.Begun, c.Poll.Ended))
	}
	return true
}

// forget removes old events up to the first that is young enough. Those of the future hold up none.
func (m *model) forget(now uidl.Stamp) {
	young := func(e uidl.Event) bool { return e.At >= now-uidl.Stamp(Reach/time.Second) }
	until := slices.IndexFunc(m.history, func(e uidl.Event) bool { return young(e) && e.At <= now })
	if until < 0 {
		until = len(m.history)
	}
	if now != 0 {
		m.history = append(slices.DeleteFunc(slices.Clone(m.history[:until]), func(e uidl.Event) bool { return !young(e) }),
			m.history[until:]...)
	}
}

func (m *model) content() content {
	c := content{Intents: m.intents, Poll: m.poll, History: m.history}
	for ref, rec := range maps.All(m.records) {
		c.Records = append(c.Records, uidl.Entry{Ref: ref, Record: rec})
	}
	slices.SortFunc(c.Records, func(a, b uidl.Entry) int {
		return cmp.Or(cmp.Compare(a.UID, b.UID), cmp.Compare(a.Rank, b.Rank))
	})
	return c
}

// UIDs are few, so that changes meet, and some are strange (W14).
var (
	refGen = rapid.Custom(func(t *rapid.T) uidl.Ref {
		uid := rapid.OneOf(
			rapid.StringMatching(`[a-c]{0,2}`),
			rapid.SampledFrom([]string{"", " ", "\xff", "\x01", "a\x01", "%s\x1b["}),
		).Draw(t, "uid")
		return uidl.Ref{UID: uid, Rank: rapid.SampledFrom([]uint32{0, 0, 1, 256, 1<<32 - 1}).Draw(t, "rank")}
	})
	entryGen = rapid.Custom(func(t *rapid.T) uidl.Entry {
		return uidl.Entry{Ref: refGen.Draw(t, "ref"), Record: uidl.Record{
			State:        uidl.State(rapid.Uint8Range(0, uint8(uidl.Quarantined)).Draw(t, "state")),
			Attempts:     rapid.Uint16().Draw(t, "attempts"),
			Deletions:    rapid.Uint8().Draw(t, "deletions"),
			DeleteSent:   rapid.Bool().Draw(t, "sent"),
			Told:         rapid.Bool().Draw(t, "told"),
			Size:         rapid.Int64Min(-1).Draw(t, "size"),
			Changed:      uidl.Stamp(rapid.Int64().Draw(t, "changed")),
			MissingSince: uidl.Stamp(rapid.Int64().Draw(t, "missing")),
			Header:       rapid.Uint64().Draw(t, "header"),
			Shared:       rapid.Bool().Draw(t, "shared"),
			Seen:         rapid.Int64Min(0).Draw(t, "seen"),
		}}
	})
	intentGen = rapid.Custom(func(t *rapid.T) uidl.Intent {
		return uidl.Intent{
			Ref:    refGen.Draw(t, "ref"),
			Size:   rapid.Int64Min(-1).Draw(t, "size"),
			Staged: rapid.Int64Min(0).Draw(t, "staged"),
			Target: rapid.String().Draw(t, "target"),
			Name:   rapid.StringN(1, 20, -1).Draw(t, "name"),
			At:     uidl.Stamp(rapid.Int64().Draw(t, "at")),
			Header: rapid.Uint64().Draw(t, "header"),
			Shared: rapid.Bool().Draw(t, "shared"),
		}
	})
	stampGen = rapid.Map(rapid.Int64Range(0, 200), func(days int64) uidl.Stamp { return uidl.Stamp(days * 24 * 3600) })
	eventGen = rapid.Custom(func(t *rapid.T) uidl.Event {
		return uidl.Event{
			At:        stampGen.Draw(t, "at"),
			What:      uidl.What(rapid.Uint8Range(uint8(uidl.HistoryDelivered), uint8(uidl.HistoryForgotten)).Draw(t, "what")),
			Ref:       refGen.Draw(t, "ref"),
			Size:      rapid.Int64Min(-1).Draw(t, "size"),
			MessageID: rapid.String().Draw(t, "id"),
			Where:     rapid.String().Draw(t, "where"),
			Note:      rapid.String().Draw(t, "note"),
		}
	})
	pollGen = rapid.Custom(func(t *rapid.T) *uidl.Poll {
		return &uidl.Poll{
			Begun:    stampGen.Draw(t, "begun"),
			Failures: rapid.IntMin(0).Draw(t, "failures"),
			Message:  rapid.String().Draw(t, "message"),
			Listed:   rapid.Bool().Draw(t, "listed"),
			Refusals: uidl.Refusals{Count: rapid.IntMin(0).Draw(t, "refusals"), Key: rapid.StringMatching("[0-9a-f]{0,4}").Draw(t, "key")},
		}
	})
	changeGen = rapid.Custom(func(t *rapid.T) uidl.Change {
		return uidl.Change{
			Intend:  rapid.SliceOfN(intentGen, 0, 4).Draw(t, "intend"),
			Confirm: rapid.SliceOfN(entryGen, 0, 4).Draw(t, "confirm"),
			Abandon: rapid.SliceOfN(refGen, 0, 2).Draw(t, "abandon"),
			Update:  rapid.SliceOfN(entryGen, 0, 8).Draw(t, "update"),
			Forget:  rapid.SliceOfN(refGen, 0, 3).Draw(t, "forget"),
			History: rapid.SliceOfN(eventGen, 0, 3).Draw(t, "history"),
			Poll:    rapid.OneOf(rapid.Just[*uidl.Poll](nil), pollGen).Draw(t, "poll"),
		}
	})
)

// anyChangesMatchTheModel applies random changes to two mailboxes, with the store closed and
// opened in between, and compares all that they hold.
func anyChangesMatchTheModel(t *testing.T, open Opener) {
	at, n := path(t), 0
	s := open(t, at)
	defer func() { closed(t, s) }()
	rapid.Check(t, func(rt *rapid.T) {
		n++ // mailboxes of its own for each run: a new state costs more than all its changes
		mailboxes := []uidl.Mailbox{{Host: "h", User: fmt.Sprint("alice", n)}, {Host: "h", User: fmt.Sprint("bob", n)}}
		models := []*model{{records: map[uidl.Ref]uidl.Record{}}, {records: map[uidl.Ref]uidl.Record{}}}
		rt.Repeat(map[string]func(*rapid.T){
			"commit": func(rt *rapid.T) {
				i := rapid.IntRange(0, 1).Draw(rt, "mailbox")
				c := changeGen.Draw(rt, "change")
				err := box(t, s, mailboxes[i], mailboxes[i].User).Commit(t.Context(), c)
				if taken := models[i].apply(c); taken != (err == nil) {
					rt.Fatalf("the model takes it: %v; the store: %v", taken, err)
				}
			},
			"reopen": func(*rapid.T) {
				closed(t, s)
				s = open(t, at)
			},
			"": func(rt *rapid.T) {
				for i, m := range mailboxes {
					holds(t, box(t, s, m, m.User), models[i].content())
				}
			},
		})
	})
}
