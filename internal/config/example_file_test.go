package config

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func exampleFile(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// C10: the example loads as it is, with any mode, and its first ten lines are an account.
func TestExampleLoads(t *testing.T) {
	text := exampleFile(t)
	beginning := strings.Join(slices.Collect(strings.Lines(text))[:10], "")
	for _, text := range []string{text, beginning} {
		c, err := loadMode(t, text, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Accounts) != 1 || c.Accounts[0].Deliver.Maildir != "/home/alice/Maildir/work" || len(c.Warnings) > 0 {
			t.Errorf("got %+v, warnings %v", c.Accounts, c.Warnings)
		}
	}
}

func TestExampleHasEveryKey(t *testing.T) {
	text := exampleFile(t)
	for _, k := range Keys() {
		name := k.Name[strings.LastIndex(k.Name, ".")+1:]
		if !regexp.MustCompile(`(?m)^[ #-]*` + name + `:`).MatchString(text) {
			t.Errorf("config.example.yaml lacks %s", k.Name)
		}
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	for _, k := range Keys() {
		if k.Doc == "" || k.Expects == "" {
			t.Errorf("%s: expects %q, doc %q", k.Name, k.Expects, k.Doc)
		}
	}
}

// C10: a key of the example that loses its # is what it says: right, of a later version, a
// second answer to a question that the account answers above, or the half of a pair.
func TestExampleKeysAreRight(t *testing.T) {
	allowed := regexp.MustCompile(`is not available in this version|is given twice|contradicts|has no name that a certificate|needs tls_client_`)
	lines := slices.Collect(strings.Lines(exampleFile(t)))
	for first := 0; first < len(lines); {
		end := blockEnd(lines, first)
		if end == first {
			first++
			continue
		}
		changed := slices.Clone(lines)
		for i := first; i < end; i++ {
			changed[i] = strings.Replace(lines[i], "# ", "", 1)
		}
		_, err := load(t, strings.Join(changed, ""))
		errs, _ := errors.AsType[Errors](err)
		for _, e := range errs {
			if !allowed.MatchString(e.Message) {
				t.Errorf("line %d: %v", first+1, e)
			}
		}
		first = end
	}
}

// commentedKey is a key behind a #, and the blanks before and behind that.
var commentedKey = regexp.MustCompile(`^( *)# ( *)[a-z0-9_]+:`)

// blockEnd is the line behind the commented key in line first and the keys below it; first itself
// if there is no key.
func blockEnd(lines []string, first int) int {
	key := commentedKey.FindStringSubmatch(lines[first])
	if key == nil {
		return first
	}
	end := first + 1
	for ; end < len(lines); end++ {
		below := commentedKey.FindStringSubmatch(lines[end])
		if below == nil || below[1] != key[1] || len(below[2]) <= len(key[2]) {
			break
		}
	}
	return end
}
