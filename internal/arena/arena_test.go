package arena

import (
	"strings"
	"testing"
)

func TestStringsStay(t *testing.T) {
	var s Strings
	var got, want []string
	for i := range 3000 {
		b := []byte(strings.Repeat(string(rune('a'+i%26)), i%100))
		want = append(want, string(b))
		got = append(got, s.String(b))
		clear(b)
	}
	got, want = append(got, s.String(make([]byte, 2*chunk))), append(want, string(make([]byte, 2*chunk)))
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("string %d has changed: %q, not %q", i, got[i], want[i])
		}
	}
}

func TestFewAllocations(t *testing.T) {
	b := []byte("0123456789abcdef")
	n := testing.AllocsPerRun(10, func() {
		var s Strings
		for range 10_000 {
			s.String(b)
		}
	})
	if n > 5 {
		t.Errorf("%v allocations for 160 kB", n)
	}
}
