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

//go:embed help/*.txt
var topicFiles embed.FS

// topics are what help knows besides the commands, in this order.
var topics = []struct{ name, usage string }{
	{"config", "the keys of the configuration, and where it is looked for"},
	{"environment", "the variables that popsync reads"},
	{"exit-codes", "what an exit status means"},
}

func helpCommand() *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "help on a command or a topic: config, environment, exit-codes",
		ArgsUsage: "[COMMAND | TOPIC]",
		UsageText: `popsync help fetch           the same as popsync fetch --help
popsync help config          the keys of the configuration`,
		Flags: withCommon(),
		Action: func(c *cli.Context) error {
			return runHelp(c.App, c.Args().Slice(), os.Stdout)
		},
	}
}

func runHelp(app *cli.App, words []string, w io.Writer) error {
	if len(words) == 0 {
		return printHelp(w, app)
	}
	name := strings.Join(words, " ")
	if c, _, rest := findVerb(app, words); c != nil && !c.Hidden && len(rest) == 0 {
		return printCommandHelp(w, name, c)
	}
	for _, t := range topics {
		if t.name == name {
			text, err := topicFiles.ReadFile("help/" + name + ".txt")
			_, written := w.Write(text)
			return both(err, written)
		}
	}
	return &usageError{"no help on " + quoted(name) + didYouMean(name, helpNames(app)), "see popsync --help"}
}

// helpNames are all that help has something on.
func helpNames(app *cli.App) []string {
	var names []string
	for _, c := range app.VisibleCommands() {
		names = append(names, c.Name)
	}
	for _, t := range topics {
		names = append(names, t.name)
	}
	return names
}

// printHelp is the program's help.
func printHelp(w io.Writer, app *cli.App) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s.\n\n", app.Name, app.Usage)
	b.WriteString(indented(app.UsageText))
	b.WriteString("\nUsage: popsync COMMAND [FLAGS] [ACCOUNT...]\n\nCommands:\n")
	for _, c := range app.VisibleCommands() {
		fmt.Fprintf(&b, "  %-16s  %s\n", c.Name, c.Usage)
	}
	b.WriteString("\nFlags of every command:\n")
	printFlags(&b, slices.Concat(app.Flags, []cli.Flag{helpFlag, versionFlag}))
	b.WriteString("\nTopics (popsync help TOPIC):\n")
	for _, t := range topics {
		fmt.Fprintf(&b, "  %-16s  %s\n", t.name, t.usage)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printCommandHelp is that of one command; name is its name in full.
func printCommandHelp(w io.Writer, name string, c *cli.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "popsync %s: %s\n\n", name, c.Usage)
	b.WriteString(indented(c.UsageText))
	fmt.Fprintf(&b, "\nUsage: %s\n", strings.TrimSpace("popsync "+name+" [FLAGS] "+c.ArgsUsage))
	if c.Description != "" {
		b.WriteString("\n" + c.Description + "\n")
	}
	if c.Subcommands != nil {
		b.WriteString("\nCommands:\n")
	}
	for _, sub := range c.Subcommands {
		fmt.Fprintf(&b, "  %-16s  %s\n", name+" "+sub.Name, sub.Usage)
	}
	b.WriteString("\nFlags:\n")
	printFlags(&b, slices.Concat(c.Flags, []cli.Flag{helpFlag}))
	_, err := io.WriteString(w, b.String())
	return err
}

func printFlags(b *strings.Builder, flags []cli.Flag) {
	for _, f := range flags {
		name, usage := flagHelp(f)
		fmt.Fprintf(b, "  %-16s  %s\n", name, usage)
	}
}

// flagHelp is "-q, --quiet", or "--config FILE", and what it does. The value's name stands in
// backquotes in the usage.
func flagHelp(f cli.Flag) (name, usage string) {
	s := spellings(f)
	slices.Reverse(s)
	name = strings.Join(s, ", ")
	if d, ok := f.(cli.DocGenerationFlag); ok {
		usage = d.GetUsage()
	}
	if before, rest, ok := strings.Cut(usage, "`"); ok {
		value, after, _ := strings.Cut(rest, "`")
		return name + " " + value, before + value + after
	}
	return name, usage
}

func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text + "\n") {
		b.WriteString("  " + line)
	}
	return b.String()
}
