package main

import (
	"github.com/urfave/cli/v2"

	"popsync/internal/term"
)

// A detail says how much of a command's work is told.
type detail int

const (
	quiet   detail = iota - 1 // errors
	normal                    // what people ask for
	verbose                   // a line an event
	trace                     // ... and the wire
)

// common are the options of every command.
type common struct {
	config  string // as given with --config; may be empty
	detail  detail
	colour  term.When
	noInput bool // nothing may be asked
}

var (
	helpFlag    cli.Flag = &cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "this help"}
	versionFlag cli.Flag = &cli.BoolFlag{Name: "version", Usage: "version, commit and Go version"}
)

// commonFlags are new ones for each command: cli gives a command's own flags their values.
func commonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "the configuration is in `FILE`"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "tell more, a line an event"},
		&cli.BoolFlag{Name: "trace", Aliases: []string{"vv"}, Usage: "show the wire as well, secrets masked"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "tell errors only"},
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "use colours: `WHEN` is auto, always or never"},
		&cli.BoolFlag{Name: "no-input", Usage: "never ask anything, such as a password"},
	}
}

// withCommon are the flags of a command: its own, then those of every command.
func withCommon(own ...cli.Flag) []cli.Flag { return append(own, commonFlags()...) }

func commonOf(c *cli.Context) (common, error) {
	colour, err := term.ParseWhen(c.String("color"))
	if err != nil {
		return common{}, usagef("--color: %v", err)
	}
	o := common{config: c.String("config"), colour: colour, noInput: c.Bool("no-input")}
	switch loud := c.Bool("trace") || c.Bool("verbose"); {
	case loud && c.Bool("quiet"):
		return common{}, usagef("--quiet contradicts --verbose and --trace")
	case c.Bool("trace"):
		o.detail = trace
	case c.Bool("verbose"):
		o.detail = verbose
	case c.Bool("quiet"):
		o.detail = quiet
	}
	return o, nil
}

// noWords refuses arguments where a command has no use for them.
func noWords(c *cli.Context) error {
	if c.Args().Present() {
		name := c.Command.HelpName // popsync uidl verify
		return &usageError{name + " takes no arguments, and there is " + quoted(c.Args().First()), "see " + name + " --help"}
	}
	return nil
}
