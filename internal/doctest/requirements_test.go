package doctest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Requirements are groups of cases that popsync must stand up to, and how many each has: W the
// wire, T transport security, A the log-in.
var requirements = map[string]int{"W": 19, "T": 8, "A": 9}

// Every case has a test that bears its number, in its name, its comment or above a case.
func TestEveryRequirementHasATest(t *testing.T) {
	named := make(map[string]bool)
	number := regexp.MustCompile(`\b[WTA][0-9]+\b`)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "build" || e.Name() == ".git"):
			return fs.SkipDir
		case !regexp.MustCompile(`(_test\.go|\.txtar|\.pop3)$`).MatchString(path), e.Name() == "requirements_test.go":
			return nil
		}
		text, err := os.ReadFile(path)
		for _, n := range number.FindAllString(string(text), -1) {
			named[n] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for group, cases := range requirements {
		for i := range cases {
			if id := fmt.Sprint(group, i+1); !named[id] {
				t.Errorf("no test bears %s", id)
			}
		}
	}
}
