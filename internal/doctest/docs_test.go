// Package doctest holds the documentation to what the program does: statuses, keys, commands, files and
// tests that it names have to be there. It has nothing but tests.
package doctest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"popsync/internal/config"
)

// root is where the repository begins, seen from here.
const root = "../.."

func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// popsync runs the program from its source.
func popsync(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"run", "./cmd/popsync"}, args...)...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("popsync %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// found are the first groups of all that pattern matches in text.
func found(text, pattern string) []string {
	var all []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

var statuses = []string{"0", "64", "69", "70", "73", "74", "75", "76", "77", "78", "130", "143"}

func TestEveryExitStatusIsDocumented(t *testing.T) {
	for name, listed := range map[string][]string{
		"docs/man/popsync.1":              found(section(read(t, "docs/man/popsync.1"), "EXIT STATUS"), `(?m)^\.It (\d+)$`),
		"README.md":                       found(read(t, "README.md"), `(?m)^\| (\d+) \|`),
		"cmd/popsync/help/exit-codes.txt": found(read(t, "cmd/popsync/help/exit-codes.txt"), `(?m)^ +(\d+)  `),
	} {
		if !slices.Equal(listed, statuses) {
			t.Errorf("%s lists the statuses %v, want %v", name, listed, statuses)
		}
	}
}

// section is one section of a manual page.
func section(page, name string) string {
	_, after, _ := strings.Cut(page, "\n.Sh "+name+"\n")
	text, _, _ := strings.Cut(after, "\n.Sh ")
	return text
}

func TestEveryKeyHasAnEntry(t *testing.T) {
	page := read(t, "docs/man/popsync.yaml.5")
	entries := found(page, `(?m)^\.It Ic ([a-z0-9_.]+)`)
	missing := map[string]bool{}
	for _, k := range config.Keys() {
		name := strings.TrimPrefix(k.Name, "accounts.")
		within, _, _ := strings.Cut(name, ".")
		missing[name] = !k.Available || missing[within]
		at := slices.Index(entries, name)
		if at < 0 {
			t.Errorf("popsync.yaml.5 has no entry for %s", k.Name)
			continue
		}
		marked := strings.Contains(entry(page, name), "Not in this version.")
		if marked != missing[name] {
			t.Errorf("popsync.yaml.5: %s is marked as missing: %v; it is: %v", k.Name, marked, missing[name])
		}
		entries = slices.Delete(entries, at, at+1)
	}
	if len(entries) > 0 {
		t.Errorf("popsync.yaml.5 describes what is no key: %v", entries)
	}
}

// entry is what stands at a key, up to the next one.
func entry(page, name string) string {
	_, after, _ := strings.Cut(page, "\n.It Ic "+name+"\n")
	text, _, _ := strings.Cut(after, "\n.It Ic ")
	text, _, _ = strings.Cut(text, "\n.El")
	return text
}

func TestEveryCommandIsDocumented(t *testing.T) {
	help := popsync(t, "--help")
	_, commands, _ := strings.Cut(help, "\nCommands:\n")
	commands, _, _ = strings.Cut(commands, "\n\n")
	verbs := found(commands, `(?m)^  ([a-z]+) `)
	if len(verbs) < 3 {
		t.Fatalf("popsync --help lists %v", verbs)
	}
	page, readme := read(t, "docs/man/popsync.1"), read(t, "README.md")
	for _, verb := range verbs {
		if !regexp.MustCompile(`(?m)^\.It Ic ` + verb + `\b`).MatchString(page) {
			t.Errorf("popsync.1 has no entry for %s", verb)
		}
		if !strings.Contains(readme, "`popsync "+verb) {
			t.Errorf("README.md does not name popsync %s", verb)
		}
		for _, flag := range found(popsync(t, verb, "--help"), `(?m)^  (?:-v?., )?--([a-z-]+)`) {
			if !strings.Contains(page, "Fl Fl "+flag) {
				t.Errorf("popsync.1 does not describe --%s of %s", flag, verb)
			}
		}
	}
}

func TestEveryVariableIsDocumented(t *testing.T) {
	page := section(read(t, "docs/man/popsync.1"), "ENVIRONMENT")
	listed, _, _ := strings.Cut(read(t, "cmd/popsync/help/environment.txt"), "\nand those")
	_, listed, _ = strings.Cut(listed, "popsync reads:")
	for _, line := range strings.Split(listed, "\n") {
		if !strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "   ") {
			continue
		}
		names, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
		for _, name := range strings.Split(strings.TrimSuffix(names, ","), ", ") {
			if !strings.Contains(page, "Ev "+name) {
				t.Errorf("popsync.1 does not describe %s", name)
			}
		}
	}
}

func TestManualPagesAreClean(t *testing.T) {
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		t.Skip("mandoc is not installed")
	}
	for _, name := range []string{"popsync.1", "popsync.yaml.5"} {
		out, err := exec.CommandContext(t.Context(), mandoc, "-Tlint", "-Wwarning", filepath.Join(root, "docs/man", name)).CombinedOutput()
		if len(out) > 0 || err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// pages are all of the documentation in Markdown.
func pages(t testing.TB) []string {
	t.Helper()
	names := []string{"README.md", "CHANGELOG.md", "CONTRIBUTING.md"}
	err := fs.WalkDir(os.DirFS(root), "docs", func(path string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestFilesOfTheRFCTableAreThere(t *testing.T) {
	files := found(read(t, "docs/rfc.md"), "`([a-z0-9_/]+\\.go)`")
	if len(files) < 20 {
		t.Errorf("docs/rfc.md names %d files only", len(files))
	}
	for _, name := range files {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Errorf("docs/rfc.md: %v", err)
		}
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	for _, page := range pages(t) {
		for _, target := range found(read(t, page), `\]\(([^)#:]+)(?:#[^)]*)?\)`) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(page), target)); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

// A test that documentation calls a proof has to exist.
func TestNamedTestsExist(t *testing.T) {
	exist := map[string]bool{}
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			for _, name := range found(read(t, path), `(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`) {
				exist[name] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages(t) {
		for _, name := range found(read(t, page), "`((?:Test|Fuzz|Benchmark)[A-Z]\\w+)`") {
			if !exist[name] {
				t.Errorf("%s names %s, which does not exist", page, name)
			}
		}
	}
}
