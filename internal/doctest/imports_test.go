package doctest

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A pkg is what "go list -json" says of a package.
type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

// listed are all packages of the module with those that they depend on.
func listed(t testing.TB) map[string]pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]pkg{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if within(p.ImportPath, "popsync") {
			all[p.ImportPath] = p
		}
	}
}

// within reports whether path is tree or lies below it.
func within(path, tree string) bool {
	return path == tree || strings.HasPrefix(path, tree+"/")
}

func TestLibrariesStayWhereTheyBelong(t *testing.T) {
	owners := map[string]string{
		"github.com/urfave/cli/v2": "popsync/cmd",
		"gopkg.in/yaml.v3":         "popsync/internal/config",
		"go.etcd.io/bbolt":         "popsync/uidl",
	}
	for path, p := range listed(t) {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			for library, owner := range owners {
				if within(imported, library) && !within(path, owner) {
					t.Errorf("%s imports %s, which is for %s alone", path, imported, owner)
				}
			}
		}
	}
}

// cmd → fetch → {fetch/pop3, uidl, deliver}, and everybody → internal.
func TestImportsPointOneWay(t *testing.T) {
	const wire, session, state, targets = "popsync/fetch/pop3", "popsync/fetch", "popsync/uidl", "popsync/deliver"
	configuration := []string{"popsync/internal/config", "gopkg.in/yaml.v3", "github.com/urfave/cli/v2"}
	tools := []string{"popsync/internal/crash", "popsync/internal/demo", "popsync/internal/realtest"} // run the program
	strangers := map[string][]string{
		wire:    append([]string{session, state, targets, "go.etcd.io/bbolt"}, configuration...),
		state:   append([]string{session, targets}, configuration...),
		targets: append([]string{session, state, "go.etcd.io/bbolt"}, configuration...),
		session: configuration,
	}
	all := listed(t)
	for path := range all {
		if within(path, "popsync/internal") && !slices.Contains(tools, path) {
			strangers[path] = []string{session, state, targets}
		}
		if !within(path, "popsync/cmd") {
			strangers[path] = append(strangers[path], "popsync/cmd")
		}
	}
	for path, unwanted := range strangers {
		p, ok := all[path]
		if !ok {
			t.Errorf("%s is not there", path)
		}
		for _, dep := range p.Deps {
			if slices.ContainsFunc(unwanted, func(u string) bool { return within(dep, u) }) {
				t.Errorf("%s depends on %s", path, dep)
			}
		}
	}
}
