package term

import (
	"testing"
	"time"
)

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 1234: "1.2 kB", 9949: "9.9 kB", 9950: "10 kB",
		12_345: "12 kB", 999_499: "999 kB", 999_500: "1.0 MB", 5_000_000_000: "5.0 GB", 1<<63 - 1: "9.2 EB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                             "0 ms",
		999_900 * time.Microsecond:    "999 ms",
		3450 * time.Millisecond:       "3.4 s",
		59*time.Second + 900_000_000:  "59 s",
		2*time.Minute + 5*time.Second: "2 min 5 s",
		30 * time.Minute:              "30 min",
		23 * time.Hour:                "23 h",
		49 * time.Hour:                "2 days",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	if a, b := Count(1, "message"), Count(0, "message"); a != "1 message" || b != "0 messages" {
		t.Error(a, b)
	}
}
