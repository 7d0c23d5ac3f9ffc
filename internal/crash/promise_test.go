package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"popsync/internal/realtest"
)

// The harness is worth as much as what it notices.
func TestBrokenPromisesAreCounted(t *testing.T) {
	a, b, part := realtest.Sum{1}, realtest.Sum{2}, realtest.Sum{3}
	both := realtest.Census{a: 1, b: 1}
	one := realtest.Census{a: 1}
	none := realtest.Census{}
	tests := []struct {
		name          string
		seen          evidence
		moment, final tally
	}{
		{"all is well with keep: true", evidence{sent: both, had: both, held: both, keep: true}, tally{}, tally{}},
		{"all is well with keep: false", evidence{sent: both, had: both, held: none}, tally{}, tally{}},
		{"one is still to come", evidence{sent: both, had: one, held: both, keep: true}, tally{}, tally{lost: 1}},
		{"one is still to be deleted", evidence{sent: both, had: both, held: one}, tally{}, tally{server: 1}},
		{"deleted and not delivered", evidence{sent: both, had: one, held: none}, tally{lost: 1}, tally{lost: 1}},
		{"deleted in spite of keep", evidence{sent: both, had: both, held: one, keep: true}, tally{server: 1}, tally{server: 1}},
		{
			"deleted while keep was another",
			evidence{sent: both, had: both, held: one, keep: true, freed: realtest.Census{b: 1}},
			tally{},
			tally{},
		},
		{
			"came twice",
			evidence{sent: both, had: realtest.Census{a: 3, b: 1}, held: none},
			tally{twice: 2},
			tally{twice: 2},
		},
		{
			"handed over again",
			evidence{sent: both, had: realtest.Census{a: 3, b: 1}, held: none, window: 1},
			tally{twice: 1, again: 1},
			tally{twice: 1, again: 1},
		},
		{
			"a part can be seen",
			evidence{sent: both, had: realtest.Census{a: 1, b: 1, part: 1}, held: none},
			tally{partial: 1},
			tally{partial: 1},
		},
		{"a reader saw a part", evidence{sent: both, had: both, held: none, partial: 1}, tally{partial: 1}, tally{partial: 1}},
		{
			"set aside, and still on the server",
			evidence{sent: both, had: both, held: one, aside: one},
			tally{},
			tally{},
		},
		{"set aside, and deleted", evidence{sent: both, had: both, held: none, aside: one}, tally{}, tally{server: 1}},
		{"left in tmp/", evidence{sent: both, had: both, held: none, left: 2}, tally{}, tally{left: 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for what, c := range map[string]struct{ got, want tally }{
				"at a moment": {test.seen.atAnyMoment(), test.moment},
				"in the end":  {test.seen.inTheEnd(), test.final},
			} {
				if diff := cmp.Diff(c.want, c.got, cmp.AllowUnexported(tally{}, deed{})); diff != "" {
					t.Errorf("%s (-want +got):\n%s", what, diff)
				}
			}
			if test.seen.atRest().left != test.seen.left {
				t.Error("what popsync leaves after a failure is not counted")
			}
		})
	}
}
