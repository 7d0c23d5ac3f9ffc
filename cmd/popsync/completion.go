package main

import (
	"embed"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

//go:embed completion/popsync.*
var completionScripts embed.FS

var shells = []string{"bash", "zsh", "fish"}

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "the completion script of a shell: bash, zsh or fish",
		ArgsUsage: "bash|zsh|fish",
		UsageText: `source <(popsync completion bash)
popsync completion zsh > "${fpath[1]}/_popsync"
popsync completion fish > ~/.config/fish/completions/popsync.fish`,
		Flags: withCommon(),
		Action: func(c *cli.Context) error {
			return runCompletion(c.Args().Slice(), os.Stdout)
		},
	}
}

func runCompletion(words []string, w io.Writer) error {
	if len(words) != 1 {
		return &usageError{"which shell? bash, zsh or fish", "source <(popsync completion bash)"}
	}
	shell := words[0]
	if !slices.Contains(shells, shell) {
		return &usageError{"no completion for " + quoted(shell) + didYouMean(shell, shells), "there is one for bash, zsh and fish"}
	}
	script, err := completionScripts.ReadFile("completion/popsync." + shell)
	_, written := w.Write(script)
	return both(err, written)
}

// completeCommand is what the scripts ask: the words of a command line so far, of which the last
// is still being written. It prints what that could become, a line each, a tab before what it is.
func completeCommand() *cli.Command {
	return &cli.Command{
		Name:   "__complete",
		Hidden: true,
		Flags:  withCommon(),
		Action: func(c *cli.Context) error {
			for _, s := range complete(c.App, c.Args().Slice(), accountNames) {
				if _, err := fmt.Fprintf(os.Stdout, "%s\t%s\n", s.text, s.about); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// A candidate is what a word may become.
type candidate struct{ text, about string }

// complete finds what the last of words may become.
func complete(app *cli.App, words []string, accounts func(config string) []string) []candidate {
	if len(words) == 0 {
		words = []string{""}
	}
	before, word := words[:len(words)-1], words[len(words)-1]
	given, arguments, _ := split(app, before)
	ended := slices.Contains(before, "--")
	flags, commands := app.Flags, app.VisibleCommands()
	verb, _, arguments := findVerb(app, arguments)
	if verb != nil {
		flags, commands = verb.Flags, verb.Subcommands
	}
	if (verb == nil || commands != nil) && len(arguments) > 0 {
		return nil // an unknown command
	}
	var all []candidate
	switch name, _, hasValue := strings.Cut(word, "="); {
	case !ended && len(before) > 0 && wantsValue(app, before[len(before)-1]):
		all = valuesOf(before[len(before)-1], "")
	case !ended && strings.HasPrefix(word, "-") && hasValue:
		all = valuesOf(name, name+"=")
	case !ended && strings.HasPrefix(word, "-"):
		all = flagCandidates(flags)
	case commands != nil:
		for _, c := range commands {
			all = append(all, candidate{c.Name, c.Usage})
		}
	default:
		all = wordsOf(app, verb, arguments, func() []string { return accounts(configOf(given)) })
	}
	return slices.DeleteFunc(all, func(c candidate) bool { return !strings.HasPrefix(c.text, word) })
}

// wantsValue reports whether the word behind text is its value.
func wantsValue(app *cli.App, text string) bool {
	f := findFlag(app, text)
	return f != nil && takesValue(f)
}

// valuesOf a flag; those of --config are files, which the shell knows.
func valuesOf(flag, prefix string) []candidate {
	var all []candidate
	for _, value := range map[string][]string{"--color": {"auto", "always", "never"}, "--flow": flowNames, "--state": stateNames[1:]}[flag] {
		all = append(all, candidate{prefix + value, ""})
	}
	return all
}

func flagCandidates(flags []cli.Flag) []candidate {
	var all []candidate
	for _, f := range append(slices.Clone(flags), helpFlag) {
		_, usage := flagHelp(f)
		for _, s := range spellings(f) {
			all = append(all, candidate{s, usage})
		}
	}
	return all
}

// wordsOf are the arguments of verb, those that stand there left out.
func wordsOf(app *cli.App, verb *cli.Command, there []string, accounts func() []string) []candidate {
	var names []string
	switch {
	case takesAccount(verb.ArgsUsage, len(there)):
		names = accounts()
	case verb.Name == "help" && len(there) == 0:
		names = helpNames(app)
	case verb.Name == "completion" && len(there) == 0:
		names = shells
	}
	var all []candidate
	for _, n := range names {
		if !slices.Contains(there, n) {
			all = append(all, candidate{n, ""})
		}
	}
	return all
}

// takesAccount says whether an argument is the name of an account. Usage names each, from the
// first, and the last may come again: ACCOUNT UID...
func takesAccount(usage string, i int) bool {
	words := strings.Fields(usage)
	if last := len(words) - 1; i > last && strings.HasSuffix(strings.TrimSuffix(usage, "]"), "...") {
		i = last
	}
	if i >= len(words) {
		return false
	}
	word := strings.Trim(words[i], "[.]")
	return word == "ACCOUNT" || word == "FROM"
}

// configOf is what --config says among flags.
func configOf(flags []given) string {
	path := ""
	for _, g := range flags {
		if g.flag != nil && g.flag.Names()[0] == "config" {
			path = g.value
		}
	}
	return path
}

// accountNames are those of the configuration, or none where that cannot be read.
func accountNames(path string) []string {
	cfg, _, err := load(common{config: path})
	if err != nil {
		return nil
	}
	var names []string
	for _, a := range cfg.Accounts {
		names = append(names, a.Name)
	}
	return names
}
