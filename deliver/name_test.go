package deliver

import (
	"strings"
	"testing"
	"time"
)

const testState = "0a1b2c3d"

// D1: names are never used twice, by whichever target of whichever process.
func TestNamesAreUnique(t *testing.T) {
	now := time.Unix(1_790_000_000, 0) // the clock may stand still
	seen := make(map[string]bool)
	for range 4 {
		process := NewOwner(testState)
		for range 25_000 {
			name := process.newName(now, 7)
			if seen[name] {
				t.Fatalf("%s came twice", name)
			}
			seen[name] = true
			if whose, ok := parseName(name); !ok || whose != process {
				t.Fatalf("%s is taken apart as %+v, %v", name, whose, ok)
			}
		}
	}
}

func TestNamesOfOthersAreNotOurs(t *testing.T) {
	ours := Owner{State: testState, Run: "00112233445566aa"}
	for name, left := range map[string]bool{
		"1790000000.R00112233445566bbQ1_s0a1b2c3dI1f.host":      true,
		"1790000000.R00112233445566aaQ1_s0a1b2c3dI1f.host":      false, // of this run
		"1790000000.R00112233445566bbQ1_s0a1b2c3e.host":         false, // of another database
		"1790000000.R00112233445566bbQ1_s0a1b2c3dI1f.host,S=10": false,
		"1790000000.R00112233445566bbQ1_s0a1b2c3dI1f.":          false,
		"1790000000.M12P34Q1.host":                              false, // Dovecot's and maildrop's
		"R00112233445566bbQ1_s0a1b2c3dI1f.host":                 false,
		"../1790000000.R00112233445566bbQ1_s0a1b2c3dI1f.host":   false,
		"1790000000.R00112233445566bbQ1_s0a1b2c3dI1f./etc":      false,
		"": false,
	} {
		if got := ours.leftBehind(name); got != left {
			t.Errorf("%q left behind: %v, want %v", name, got, left)
		}
	}
}

func TestHostNameIsEscaped(t *testing.T) {
	for host, want := range map[string]string{
		"mail.example.org":       "mail.example.org",
		"a/b:c,d":                `a\057b\072c\054d`,
		"a\nb\\\xc3":             `a\012b\134\303`,
		strings.Repeat("x", 300): strings.Repeat("x", 128),
	} {
		if got := escapeHost(host); got != want {
			t.Errorf("%q becomes %q, want %q", host, got, want)
		}
	}
}

// D5
func TestFolderNames(t *testing.T) {
	for name, good := range map[string]bool{
		"Lists.go": true, "Lists": true, "Entwürfe": true, "a b": true, "~": true,
		".": false, "..": false, ".a": false, "a.": false, "a..b": false, "a/b": false, "../x": false,
		"/etc": false, "a\x00": false, "a\n": false, "a\x7f": false, strings.Repeat("x", 255): false,
	} {
		if err := checkFolder(name); (err == nil) != good {
			t.Errorf("%q: error %v, good: %v", name, err, good)
		}
	}
}
