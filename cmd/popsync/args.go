package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// A line is a command line taken apart. Flags may stand anywhere, before the verb and after the
// arguments included, up to a "--". (cli takes flags behind the first argument for arguments:
// `popsync fetch work --dry-run` would fetch.)
type line struct {
	verb          *cli.Command // nil: none was given
	path          []string     // its names: auth, login
	flags         []string     // --name=value, by the first of a flag's names
	words         []string     // arguments of the verb
	help, version bool
}

// argv is the line in the one order that cli reads without surprises.
func (l line) argv() []string {
	argv := append([]string{"popsync"}, l.path...)
	return append(append(append(argv, l.flags...), "--"), l.words...)
}

// name is the verb's in full: "auth login".
func (l line) name() string { return strings.Join(l.path, " ") }

// json reports whether a program reads what the command says.
func (l line) json() bool {
	has := func(f cli.Flag) bool { return f.Names()[0] == "json" }
	return l.verb != nil && slices.ContainsFunc(l.verb.Flags, has) && slices.Contains(l.flags, "--json=true")
}

// arrange takes args, the program's name left out, apart. An error is a *usageError; the line
// holds what was understood nevertheless.
func arrange(app *cli.App, args []string) (line, error) {
	var l line
	given, words, err := split(app, args)
	l.verb, l.path, l.words = findVerb(app, words)
	for _, g := range given {
		switch {
		case g.flag == helpFlag:
			l.help = true
		case g.flag == versionFlag:
			l.version = true
		case g.flag != nil:
			l.flags = append(l.flags, "--"+g.flag.Names()[0]+"="+g.value)
		}
	}
	switch {
	case err != nil:
		return l, err
	case len(words) > 0 && l.verb == nil:
		return l, unknownVerb(app.VisibleCommands(), words[0], "popsync")
	case l.verb != nil && len(l.verb.Subcommands) > 0 && len(l.words) > 0 && !l.help:
		return l, unknownVerb(l.verb.Subcommands, l.words[0], "popsync "+l.name())
	}
	return l, checkFlags(app, l, given)
}

// findVerb goes down from verb to verb as far as words lead; verb is nil where the first does not.
func findVerb(app *cli.App, words []string) (verb *cli.Command, path, rest []string) {
	commands := app.Commands
	for len(words) > 0 {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.Name == words[0] })
		if i < 0 {
			break
		}
		verb, path = commands[i], append(path, words[0])
		commands, words = verb.Subcommands, words[1:]
	}
	return verb, path, words
}

// allCommands are those of app and theirs.
func allCommands(app *cli.App) []*cli.Command {
	all := slices.Clone(app.Commands)
	for i := 0; i < len(all); i++ {
		all = append(all, all[i].Subcommands...)
	}
	return all
}

// A given flag is one as it was written.
type given struct {
	text  string   // --name or -n, without its value
	flag  cli.Flag // nil: no command has it
	value string
}

// split tells flags from words. A flag's name means the same in every command that has it, so
// that the verb need not be known yet.
func split(app *cli.App, args []string) (flags []given, words []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			return flags, append(words, args...), err
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			words = append(words, arg)
			continue
		}
		text, value, hasValue := strings.Cut(arg, "=")
		g := given{text, findFlag(app, text), value}
		switch {
		case g.flag == nil:
		case !takesValue(g.flag):
			if !hasValue {
				g.value = "true"
			}
			if b, bad := strconv.ParseBool(g.value); bad != nil {
				err = cmp.Or(err, error(usagef("%s takes no value", text)))
			} else {
				g.value = strconv.FormatBool(b)
			}
		case !hasValue && len(args) == 0:
			err = cmp.Or(err, error(usagef("%s needs a value", text)))
		case !hasValue:
			g.value, args = args[0], args[1:]
		}
		flags = append(flags, g)
	}
	return flags, words, err
}

// findFlag is the flag of any command that is written so: --name, or -n.
func findFlag(app *cli.App, text string) cli.Flag {
	flags := append(slices.Clone(app.Flags), helpFlag, versionFlag)
	for _, c := range allCommands(app) {
		flags = append(flags, c.Flags...)
	}
	i := slices.IndexFunc(flags, func(f cli.Flag) bool { return slices.Contains(spellings(f), text) })
	if i < 0 {
		return nil
	}
	return flags[i]
}

// checkFlags refuses flags that the verb of l does not have.
func checkFlags(app *cli.App, l line, flags []given) error {
	known, see := append(slices.Clone(app.Flags), versionFlag), "popsync --help"
	if l.verb != nil {
		known, see = l.verb.Flags, "popsync "+l.name()+" --help"
	}
	var names []string
	for _, f := range append(slices.Clone(known), helpFlag) {
		names = append(names, spellings(f)...)
	}
	for _, g := range flags {
		if g.flag == versionFlag || slices.Contains(names, g.text) {
			continue
		}
		return &usageError{"unknown flag " + quoted(g.text) + didYouMean(g.text, names), "see " + see}
	}
	return nil
}

// unknownVerb refuses a word that is none of commands, which stand behind the words of above.
func unknownVerb(commands []*cli.Command, word, above string) error {
	var names []string
	for _, c := range commands {
		names = append(names, c.Name)
	}
	what := strings.TrimPrefix(above+" ", "popsync ") + word
	return &usageError{"unknown command " + quoted(what) + didYouMean(word, names), "see " + above + " --help"}
}

// spellings of a flag: --name, and -n for a short one.
func spellings(f cli.Flag) []string {
	var s []string
	for _, name := range f.Names() {
		if len(name) <= 2 {
			s = append(s, "-"+name)
		} else {
			s = append(s, "--"+name)
		}
	}
	return s
}

func takesValue(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}
