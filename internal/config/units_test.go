package config

import (
	"io/fs"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// C5
func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "5m": 5 * time.Minute, "2h": 2 * time.Hour, "14d": 14 * 24 * time.Hour,
		"1h30m": 90 * time.Minute, "1d12h": 36 * time.Hour, "0s": 0, "007s": 7 * time.Second,
	} {
		if got, err := parseDuration(text); got != want || err != nil {
			t.Errorf("%s is %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "5", "5 m", "m", "-5m", "+5m", "1.5h", "5M", "30s1m", "1m1m", "100ms", "1w",
		"9223372036854775807d", "99999999999999999999s", "9223372036s1", "106751d24h",
	} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%s is %v, want an error", text, got)
		}
	}
}

func TestDurationsSurviveGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Range(0, 1<<33).Draw(t, "seconds")) * time.Second
		if got, err := parseDuration(want.String()); got != want || err != nil {
			t.Errorf("%v is %v, %v", want, got, err)
		}
	})
}

// C5
func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0B": 0, "10B": 10, "1kB": 1000, "1KB": 1000, "50MB": 50_000_000, "50 MB": 50_000_000, "2GB": 2_000_000_000,
		"1KiB": 1024, "64KiB": 65536, "1MiB": 1 << 20, "1GiB": 1 << 30, "1TB": 1e12, "1TiB": 1 << 40,
	} {
		if got, err := parseSize(text); got != want || err != nil {
			t.Errorf("%s is %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "50", "50M", "MB", "-1MB", "1.5MB", "1kiB", "1mb", "9223372036854775807KiB", "99999999999999999999B"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%s is %d, want an error", text, got)
		}
	}
}

// C2: YAML's reading of 0600 is 384; what stands in the file counts.
func TestModes(t *testing.T) {
	for text, want := range map[string]fs.FileMode{
		"0600": 0o600, "600": 0o600, "0o600": 0o600, "0640": 0o640, "0644": 0o644, "0660": 0o660,
	} {
		if got, err := parseMode(text); got != want || err != nil {
			t.Errorf("%s is %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "06000", "60", "0x180", "u+rw", "0666", "0602", "0700", "0400", "0200", "4600", "384"} {
		if got, err := parseMode(text); err == nil {
			t.Errorf("%s is %v, want an error", text, got)
		}
	}
}
