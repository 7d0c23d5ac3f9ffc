package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"popsync/internal/poptest"
	"popsync/internal/samples"
	"popsync/internal/term"
)

const (
	user  = "alice@example.net"
	later = 2 // of the samples come in the course of the demo
	grace = 5 * time.Second
)

// steps is the demo from its beginning to its end.
var steps = []struct {
	title string
	do    func(*demo, context.Context) error
}{
	{"A POP3 server with mail", (*demo).startServer},
	{"A configuration: one account, a Maildir", (*demo).configure},
	{"The first poll brings everything", (*demo).firstPoll},
	{"What is in the Maildir now", (*demo).showMaildir},
	{"Is it what the server holds, byte for byte?", (*demo).verify},
	{"A second poll: nothing is fetched twice", (*demo).secondPoll},
	{"Two more messages arrive; the third poll brings these two", (*demo).thirdPoll},
	{"What the server has seen", (*demo).summary},
}

// A demo is what the steps share.
type demo struct {
	out     term.Screen
	popsync string
	folder  string
	server  *poptest.Server
	held    []samples.Sample // on the server
}

func (d *demo) config() string  { return filepath.Join(d.folder, "config.yaml") }
func (d *demo) maildir() string { return filepath.Join(d.folder, "Maildir") }

func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.out, format+"\n", args...)
}

// command shows what a user would type.
func (d *demo) command(argv ...string) {
	quoted := make([]string, len(argv))
	for i, arg := range argv {
		quoted[i] = quote(arg)
	}
	d.say("   $ %s", strings.Join(quoted, " "))
}

// indent shows text as the output of a command.
func (d *demo) indent(text string) {
	for line := range strings.Lines(text) {
		d.say("   %s", strings.TrimRight(line, "\n"))
	}
}

func (d *demo) startServer(context.Context) error {
	ca, err := poptest.MakeCA(d.folder)
	if err != nil {
		return err
	}
	d.server, err = poptest.Start(poptest.Options{TLS: ca.Config(poptest.Good)})
	if err != nil {
		return err
	}
	all := samples.All()
	d.add(all[:len(all)-later]...)
	d.say("   A server of the demo's own listens on %s and speaks TLS from the first", d.server.Addr())
	d.say("   octet; its CA's certificate is in %s.", ca.File)
	d.say("   In the mailbox of %s lie %d messages.", user, len(d.held))
	return nil
}

func (d *demo) add(more ...samples.Sample) {
	for _, s := range more {
		d.server.Mailbox(user).Add("demo-"+s.Name, s.Raw)
		d.held = append(d.held, s)
	}
}

func (d *demo) configure(context.Context) error {
	text := fmt.Sprintf(`state: state.db
accounts:
  - name: demo
    host: localhost
    port: %d
    tls_ca_file: ca.pem
    username: %s
    password: %s
    deliver:
      maildir: Maildir
`, d.server.Port, user, poptest.Password)
	if err := os.WriteFile(d.config(), []byte(text), 0o600); err != nil {
		return err
	}
	d.say("   With a password inside, nobody else may read it (mode 0600).")
	d.say("   Its paths are relative to itself.")
	d.say("")
	d.command("cat", d.config())
	d.indent(text)
	return nil
}

func (d *demo) firstPoll(ctx context.Context) error {
	return d.poll(ctx, len(d.held))
}

func (d *demo) secondPoll(ctx context.Context) error {
	return d.poll(ctx, 0)
}

func (d *demo) thirdPoll(ctx context.Context) error {
	all := samples.All()
	d.add(all[len(all)-later:]...)
	if err := d.poll(ctx, later); err != nil {
		return err
	}
	return d.verify(ctx)
}

// poll runs the program once; it has to bring so many messages, and to ask the server for no others.
func (d *demo) poll(ctx context.Context, want int) error {
	before, err := readMaildir(d.maildir())
	if err != nil {
		return err
	}
	sessions := len(d.server.Sessions())
	if err := d.fetch(ctx); err != nil {
		return err
	}
	after, err := readMaildir(d.maildir())
	if err != nil {
		return err
	}
	came, asked := len(after)-len(before), retrieved(d.server.Sessions()[sessions:])
	d.say("   New in the Maildir: %d. Fetched from the server: %d.", came, asked)
	if came != want || asked != want {
		return fmt.Errorf("%d new and %d fetched, where it should be %d", came, asked, want)
	}
	return nil
}

// retrieved counts the messages that were asked for.
func retrieved(sessions []poptest.Session) int {
	n := 0
	for _, s := range sessions {
		n += len(s.Args("RETR"))
	}
	return n
}

// fetch runs "popsync fetch" and shows what it prints.
func (d *demo) fetch(ctx context.Context) error {
	d.command(d.popsync, "fetch", "--config", d.config())
	cmd := exec.CommandContext(ctx, d.popsync, "fetch", "--config", d.config())
	cmd.Stdout, cmd.Stderr = d.out.Writer, d.out.Writer // the terminal itself, where there is one
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s fetch: %w", d.popsync, err)
	}
	if !d.out.Terminal {
		d.say("   (exit status 0; without a terminal it says nothing when all is well)")
	}
	return nil
}

func (d *demo) showMaildir(context.Context) error {
	files, err := readMaildir(d.maildir())
	if err != nil {
		return err
	}
	d.command("ls", filepath.Join(d.maildir(), "new"))
	d.say("   By date, with the size and the subject of each:")
	d.say("")
	table := term.Table{Columns: []term.Column{{Name: "file"}, {Name: "size", Right: true}, {Name: "subject"}}}
	for _, f := range files {
		table.Rows = append(table.Rows, []term.Cell{{Text: term.Escape(f.name)}, {Text: term.Bytes(f.size)}, {Text: term.Escape(f.subject)}})
	}
	return table.Print(d.out)
}

func (d *demo) verify(context.Context) error {
	files, err := readMaildir(d.maildir())
	if err != nil {
		return err
	}
	if err := compare(files, d.held); err != nil {
		return err
	}
	d.say("   %d of %d files have the SHA-256 of the server's message, each once.", len(files), len(d.held))
	d.say("   (Lines end in LF in a Maildir and in CRLF on the wire; no other byte differs.)")
	return nil
}

func (d *demo) summary(context.Context) error {
	sessions := d.server.Sessions()
	for i, s := range sessions {
		if s.TLS == nil || !s.Quit || len(s.Deleted) > 0 {
			return fmt.Errorf("session %d: TLS %v, QUIT %v, deleted %d", i+1, s.TLS != nil, s.Quit, len(s.Deleted))
		}
		d.say("   Session %d: %s, %s fetched, ended by QUIT.", i+1, tls.VersionName(s.TLS.Version), term.Count(len(s.Args("RETR")), "message"))
	}
	if left := len(d.server.Mailbox(user).Messages()); left != len(d.held) {
		return fmt.Errorf("%d of %s are left on the server", left, term.Count(len(d.held), "message"))
	}
	d.say("   All %d messages still lie on the server (keep: true is the default).", len(d.held))
	return nil
}

// leave says how it went, and what stays.
func (d *demo) leave(err error) {
	d.say("")
	if err == nil {
		d.say("All is well: %d messages, each delivered once.", len(d.held))
	} else {
		d.say("That is not as it should be.")
	}
	d.say("Everything is in %s and stays there. To remove it:", d.folder)
	d.say("")
	d.command("rm", "-r", d.folder)
}

func (d *demo) close() {
	if d.server != nil {
		d.server.Close()
	}
}

// quote is arg as a shell takes it.
func quote(arg string) string {
	if strings.ContainsAny(arg, " \t\n'\"\\$&;|<>()*?[]#~`!{}") {
		return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	return arg
}
