// Popsync fetches mail from POP3 servers and hands each message, once, to a Maildir or to an MDA.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"
)

func main() {
	// With a handler a reader that has gone away is an error of Write, which is nobody's business,
	// instead of the end of a session half-way. The programs that popsync starts do not inherit it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	tuneCollector()
	os.Exit(run(os.Args[1:]))
}

// run is the program without its exit.
func run(args []string) (status int) {
	app := newApp()
	line, err := arrange(app, args)
	switch {
	case err != nil:
		if line.json() {
			err = withJSON(os.Stdout, line.name(), err)
		}
	case line.version:
		err = printVersion(os.Stdout)
	case line.verb != nil && (line.help || line.verb.Subcommands != nil):
		err = printCommandHelp(os.Stdout, line.name(), line.verb)
	case line.help || line.verb == nil:
		err = printHelp(os.Stdout, app)
	default:
		err = app.RunContext(context.Background(), line.argv())
	}
	return finish(os.Stderr, err)
}

// newApp has everything declared by ourselves: of what cli adds by default (help as an account's
// name, its own exit statuses, usage on standard output) nothing is wanted.
func newApp() *cli.App {
	app := &cli.App{
		Name:  "popsync",
		Usage: "fetches mail from POP3 servers and hands each message, once, to a Maildir or an MDA",
		UsageText: `popsync check --connect       is the configuration good, does each log-in work?
popsync fetch                 one poll of every account
popsync fetch --dry-run work  what a poll of one account would fetch and delete
popsync run                   poll for ever, each account at its own interval`,
		Flags:           commonFlags(),
		HideHelp:        true,
		HideHelpCommand: true,
		HideVersion:     true,
		ExitErrHandler:  func(*cli.Context, error) {},
		OnUsageError:    onUsageError,
		Commands: []*cli.Command{
			fetchCommand(),
			runCommand(),
			checkCommand(),
			authCommand(),
			logCommand(),
			uidlCommand(),
			helpCommand(),
			completionCommand(),
			completeCommand(),
		},
	}
	for _, c := range allCommands(app) {
		c.HideHelp, c.HideHelpCommand = true, true
		c.OnUsageError = onUsageError
	}
	return app
}
