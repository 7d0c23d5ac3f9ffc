package fetch

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"popsync/uidl"
)

// R7: what is too large by LIST, or has shown to be, stays; a larger limit lets it come.
func TestWithinSize(t *testing.T) {
	item := func(n int32, uid string, size int64) Item { return Item{Message: listed(n, uid, size)} }
	told := func(uid string, size int64) uidl.Entry {
		return had(uid, 0, uidl.Record{State: uidl.Failed, Told: true, Size: size})
	}
	for _, c := range []struct {
		name       string
		item       Item
		had        []uidl.Entry
		most       int64
		fits, told bool
	}{
		{"no limit", item(1, "a", 1<<40), nil, 0, true, false},
		{"the limit itself", item(1, "a", 100), nil, 100, true, false},
		{"one octet more", item(1, "a", 101), nil, 100, false, false},
		{"no size from LIST", item(1, "a", -1), nil, 100, true, false},
		{"told before", item(1, "a", 101), []uidl.Entry{told("a", 101)}, 100, false, true},
		{"LIST lies, and it was seen", item(1, "a", 5), []uidl.Entry{told("a", 101)}, 100, false, true},
		{"the limit was raised since", item(1, "a", 101), []uidl.Entry{told("a", 101)}, 1000, true, false},
		{"the limit was lowered since", item(1, "a", 101), []uidl.Entry{told("a", 101)}, 50, false, true},
		{"another failure is no reason", item(1, "a", 5), []uidl.Entry{had("a", 0, uidl.Record{State: uidl.Failed, Size: 500})}, 100, true, false},
		{"another message was told of", item(1, "a", 101), []uidl.Entry{told("b", 101)}, 100, false, false},
	} {
		fit, large := withinSize([]Item{c.item}, c.had, c.most)
		if len(fit) == 1 != c.fits || len(fit)+len(large) != 1 || !c.fits && large[0].Told != c.told {
			t.Errorf("%s: fit %v, large %v", c.name, fit, large)
		}
	}
}

func TestWithinSizeKeepsTheOrder(t *testing.T) {
	var items []Item
	for i := range int32(6) {
		items = append(items, Item{Message: listed(i+1, string('a'+i), int64(i%2)*1000)})
	}
	fit, large := withinSize(items, nil, 500)
	var got []int32
	for _, m := range fit {
		got = append(got, m.Number)
	}
	if diff := cmp.Diff([]int32{1, 3, 5}, got); diff != "" || len(large) != 3 {
		t.Errorf("%s\nlarge: %v", diff, large)
	}
}
