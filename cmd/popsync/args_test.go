package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
)

// C6. Each row was wrong with cli alone.
func TestArrange(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"nothing":                              {"", ""},
		"a flag behind an argument":            {"fetch work --dry-run", "popsync fetch --dry-run=true -- work"},
		"a flag before the verb":               {"--config a.yaml fetch", "popsync fetch --config=a.yaml --"},
		"a verb's flag before the verb":        {"--json fetch", "popsync fetch --json=true --"},
		"a value that looks like a verb":       {"--config fetch check", "popsync check --config=fetch --"},
		"a value that looks like a flag":       {"fetch --config -v", "popsync fetch --config=-v --"},
		"a value with an equals sign":          {"fetch --config=a=b", "popsync fetch --config=a=b --"},
		"two spellings of one flag":            {"-v fetch --verbose", "popsync fetch --verbose=true --verbose=true --"},
		"-vv is --trace":                       {"fetch -vv", "popsync fetch --trace=true --"},
		"behind -- all is argument":            {"fetch -q -- -v --json", "popsync fetch --quiet=true -- -v --json"},
		"a lone - is an argument":              {"fetch -", "popsync fetch -- -"},
		"a flag that is switched off":          {"fetch --json=false", "popsync fetch --json=false --"},
		"an argument that is a command's name": {"fetch help", "popsync fetch -- help"},
		"a command of a command":               {"auth login work", "popsync auth login -- work"},
		"flags anywhere":                       {"-q auth --port 8400 login work --no-browser", "popsync auth login --quiet=true --port=8400 --no-browser=true -- work"},
		"an account that is called so":         {"auth login login", "popsync auth login -- login"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := arrange(newApp(), strings.Fields(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if l.verb != nil {
				got = strings.Join(l.argv(), " ")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestArrangeRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"fetsh":                   `unknown command "fetsh"; did you mean fetch?`,
		"frobnicate":              `unknown command "frobnicate"`,
		"__complet":               `unknown command "__complet"`, // what is hidden is not proposed
		"fetch --dryrun":          `unknown flag "--dryrun"; did you mean --dry-run?`,
		"fetch work --conf=x":     `unknown flag "--conf"; did you mean --config?`,
		"--jsno fetch":            `unknown flag "--jsno"; did you mean --json?`,
		"--dry-run":               `unknown flag "--dry-run"`,
		"run --json":              `unknown flag "--json"`,
		"fetch --quiet=loud":      `--quiet takes no value`,
		"fetch --color":           `--color needs a value`,
		"fetch --config --color":  "", // FILE may be called so
		"fetch --config":          `--config needs a value`,
		"fetch --no-inptu --jsno": `unknown flag "--no-inptu"; did you mean --no-input?`,
		"auth logni work":         `unknown command "auth logni"; did you mean login?`,
		"auth work":               `unknown command "auth work"`,
		"auth login --export=2":   `--export takes no value`,
		"auth status --port 1":    `unknown flag "--port"`,
		"auth --json":             `unknown flag "--json"`,
	} {
		t.Run(in, func(t *testing.T) {
			got := ""
			if _, err := arrange(newApp(), strings.Fields(in)); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// A flag has to mean the same, and take a value or not, wherever it stands: split does not know
// the verb yet.
func TestFlagsMeanTheSameEverywhere(t *testing.T) {
	value := map[string]bool{}
	for _, c := range allCommands(newApp()) {
		names := map[string]bool{}
		for _, f := range c.Flags {
			for _, s := range spellings(f) {
				if v, seen := value[s]; seen && v != takesValue(f) {
					t.Errorf("%s takes a value in one command and none in another", s)
				}
				value[s] = takesValue(f)
				names[s] = true
			}
		}
		for _, common := range commonFlags() {
			if s := spellings(common)[0]; !names[s] {
				t.Errorf("popsync %s has no %s", c.Name, s)
			}
		}
	}
}

func TestNothingOfCLIsOwn(t *testing.T) {
	app := newApp()
	for _, c := range append(allCommands(app), &cli.Command{OnUsageError: app.OnUsageError, HideHelp: app.HideHelp}) {
		if c.OnUsageError == nil || !c.HideHelp {
			t.Errorf("%q would print cli's own help", c.Name)
		}
	}
}
