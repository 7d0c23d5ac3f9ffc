package agents

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"popsync/internal/realtest"
)

// An agent is a delivery program of some kind, and how long popsync may be held up by it.
type agent struct {
	name   string
	script string                      // what /bin/sh does with the message; "": what make made
	argv   []string                    // in the configuration; nil: the program agent in the home
	make   func(t testing.TB, h *home) // puts into the home what it takes
	needs  string                      // a program that has to be installed
	mails  int                         // 0: one
	large  bool                        // of 10 MB
	stores func(mail string) []string  // what lies in mail/ after the first poll; nil: nothing is looked at
	spend  spending
}

// A spending is what the time goes into that an agent may take.
type spending struct{ timeout, grace bool }

// A group of agents is a table of the page.
type group struct {
	title, about string
	agents       []agent
}

var groups = []group{
	{"Exit statuses", "", exits()},
	{"Signals", "", []agent{
		{name: "SIGHUP", script: "kill -HUP $$"},
		{name: "SIGKILL", script: "kill -KILL $$"},
		{name: "SIGSEGV", script: "ulimit -c 0; kill -SEGV $$"},
		{name: "SIGPIPE", script: "kill -PIPE $$"},
		{name: "SIGTERM", script: "kill -TERM $$"},
	}},
	{"The message on standard input", "It is a file: an agent may read it at its own pace, or not at all, and its status alone counts.\n", []agent{
		{name: "reads all, exits 0", script: "cat >$HOME/mail/1", stores: asItIs},
		{name: "reads all of 10 MB, exits 0", script: "cat >$HOME/mail/1", stores: asItIs, large: true},
		{name: "never reads, exits 0", script: "exit 0"},
		{name: "never reads 10 MB, exits 0", script: "exit 0", large: true},
		{name: "closes it at once, exits 0", script: "exec <&-; exit 0", large: true},
		{name: "reads 100 octets of 10 MB, exits 0", script: "head -c 100 >/dev/null", large: true},
		{name: "reads 100 octets of 10 MB, exits 65", script: "head -c 100 >/dev/null; exit 65", large: true},
	}},
	{"Time", "", []agent{
		{name: "reads all, then hangs", script: "cat >/dev/null; exec sleep 1000", spend: spending{timeout: true}},
		{name: "never reads 10 MB, hangs", script: "exec sleep 1000", large: true, spend: spending{timeout: true}},
		{name: "ignores SIGTERM", script: "trap '' TERM; while :; do sleep 1; done", spend: spending{timeout: true, grace: true}},
		{name: "is stopped (SIGSTOP)", script: "kill -STOP $$", spend: spending{timeout: true}},
		{name: "exits 75 at SIGTERM", script: "trap 'exit 75' TERM; sleep 1000 & wait", spend: spending{timeout: true}},
		{name: "finishes at SIGTERM, exits 0", script: "trap 'cat >$HOME/mail/1; exit 0' TERM; sleep 1000 & wait", stores: asItIs, spend: spending{timeout: true}},
	}},
	{"Output", "All of it is read. Of standard error the first line is shown, made harmless for a terminal; of more than 16 MiB popsync has had enough.\n", []agent{
		{name: "10 MB on both outputs, exits 0", script: "head -c 10000000 /dev/zero; head -c 10000000 /dev/zero >&2"},
		{name: "100 MB on standard output, and no end", script: "head -c 100000000 /dev/zero; exec sleep 1000"},
		{name: "100 MB on standard error, and no end", script: "echo begin >&2; head -c 100000000 /dev/zero >&2; exec sleep 1000"},
		{name: "closes both outputs, exits 0", script: "exec >&- 2>&-; cat >$HOME/mail/1", stores: asItIs},
		{name: "a reason on standard output, exits 67", script: "echo 'no alice here'; exit 67"},
		{name: "reasons on standard error, exits 67", script: "printf '\\n  no alice here \\nnor there\\n' >&2; exit 67"},
		{name: "what a terminal would obey, exits 67", script: `printf 'a\033[31mb\rc\377\n' >&2; exit 67`},
		{name: "a line of 1 MB, exits 67", script: "head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 67"},
	}},
	{"What it leaves behind", "Children get 3 s from the agent's end and are then killed. What makes a session of its own is out of reach, and holds nothing up.\n", []agent{
		{name: "a child, exits 0", script: "sleep 1000 </dev/null >/dev/null 2>&1 & exit 0", spend: spending{grace: true}},
		{name: "a child that holds its outputs, exits 0", script: "sleep 1000 & exit 0", spend: spending{grace: true}},
		{name: "a child that ignores SIGTERM, exits 0", script: "(trap '' TERM; exec sleep 1000) & exit 0", spend: spending{grace: true}},
		{name: "a child of a child, exits 0", script: "(sleep 1000 & exit 0) & wait; exit 0", spend: spending{grace: true}},
		{name: "a child that needs 0.5 s more, exits 0", script: "exec 3<&0; (sleep 0.5; cat <&3 >$HOME/mail/1) & exit 0", stores: asItIs},
		{name: "a child, exits 75", script: "sleep 1000 & exit 75", spend: spending{grace: true}},
		{name: "children, and hangs", script: "sleep 1000 & sleep 1000 & wait", spend: spending{timeout: true}},
		{name: "a daemon in a session of its own, exits 0", script: "setsid sleep 1000 </dev/null >/dev/null 2>&1 & sleep 0.5; exit 0"},
		{name: "a daemon that holds its outputs, exits 0", script: "setsid sleep 1000 & sleep 0.5; exit 0", spend: spending{grace: true}},
	}},
	{"No program", "", []agent{
		{name: "there is none", make: nothing},
		{name: "there is none on the PATH", argv: []string{"popsync-no-such-agent"}},
		{name: "a link to nothing", make: func(t testing.TB, h *home) { try(t, os.Symlink("nowhere", h.path("agent"))) }},
		{name: "a folder", make: func(t testing.TB, h *home) { try(t, os.Mkdir(h.path("agent"), 0o700)) }},
		{name: "a file that is not executable", make: func(t testing.TB, h *home) { h.write(t, "agent", "#!/bin/sh\n") }},
		{name: "a script whose interpreter is not there", make: func(t testing.TB, h *home) { h.program(t, "agent", "#!/no/such/interpreter\n") }},
		{name: "an executable file of mere text", make: func(t testing.TB, h *home) { h.program(t, "agent", "cat >mail\n") }},
		{name: "an empty executable file", make: func(t testing.TB, h *home) { h.program(t, "agent", "") }},
		{name: "a file that is open for writing", make: openForWriting},
		{name: "a script whose last command is not there (127)", script: "popsync-no-such-agent 2>/dev/null"},
		{name: "a script whose last command is not executable (126)", script: "/dev/null 2>/dev/null"},
		{
			name: "replaces itself while it runs; 2 messages", mails: 2,
			script: "cat >$HOME/mail/1\n" + `printf '#!/bin/sh\ncat >$HOME/mail/2\n' >$HOME/next; chmod 700 $HOME/next; exec mv $HOME/next $0`,
			stores: func(mail string) []string { return []string{mail, mail} },
		},
		{name: "removes itself while it runs; 2 messages", mails: 2, script: `rm $0; exec cat >$HOME/mail/1`, stores: asItIs},
	}},
	{"Pipelines", "A shell's `a | b` has the status of `b` (POSIX), so what `a` makes of the message is not known.\n", []agent{
		{name: "all goes well", argv: shell("sed 's/^Subject: /&[list] /' | cat >$HOME/mail/1"), stores: func(mail string) []string {
			return []string{strings.ReplaceAll(mail, "Subject: ", "Subject: [list] ")}
		}},
		{name: "the first program fails", argv: shell("false | cat >$HOME/mail/1"), stores: func(string) []string { return []string{""} }},
		{name: "the last program fails", argv: shell("cat | false")},
		{name: "a failure that is to be tried again, whatever it is", argv: shell("false || exit 75")},
	}},
	{"Programs that people use", "procmail and maildrop of Debian 12.\n", []agent{
		storing(procmail("procmail")),
		procmail("procmail, a recipe says EXITCODE 67", "EXITCODE=67", ":0", "/dev/null"),
		procmail("procmail, a recipe says EXITCODE 75", "EXITCODE=75", ":0", "/dev/null"),
		procmail("procmail, the mailbox cannot be written", "LOCKSLEEP=0", "DEFAULT=$HOME/nowhere/inbox", "ORGMAIL=$DEFAULT"),
		withOption(procmail("procmail -t, the mailbox cannot be written", "LOCKSLEEP=0", "DEFAULT=$HOME/nowhere/inbox", "ORGMAIL=$DEFAULT"), "-t"),
		storing(maildrop("maildrop", "to \"$HOME/mail/inbox\"")),
		maildrop("maildrop, the filter says EXITCODE 65", "EXITCODE=65\nexit"),
		maildrop("maildrop, the filter says EXITCODE 75", "EXITCODE=75\nexit"),
		maildrop("maildrop, the mailbox cannot be written", "to \"$HOME/mail/\""), // which is no Maildir
		maildrop("maildrop, the filter has a mistake", "to ("),
	}},
}

// exits are all statuses of sysexits(3), and others that agents and shells end with.
func exits() []agent {
	statuses := []int{0, 1, 2}
	for status := 64; status <= 78; status++ {
		statuses = append(statuses, status)
	}
	var agents []agent
	for _, status := range append(statuses, 99, 100, 111, 126, 127, 255) {
		agents = append(agents, agent{name: fmt.Sprint(status), script: fmt.Sprint("exit ", status)})
	}
	return agents
}

func asItIs(mail string) []string { return []string{mail} }

func nothing(testing.TB, *home) {}

func shell(command string) []string { return []string{"/bin/sh", "-c", command} }

// openForWriting holds the agent open. Some kernels run it nevertheless (Linux 6.11 and 6.12).
func openForWriting(t testing.TB, h *home) {
	h.program(t, "agent", "#!/bin/sh\n")
	f, err := os.OpenFile(h.path("agent"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := exec.CommandContext(t.Context(), h.path("agent")).Run(); !strings.Contains(fmt.Sprint(err), syscall.ETXTBSY.Error()) {
		t.Skip("this kernel runs a program that is open for writing")
	}
}

func procmail(name string, recipe ...string) agent {
	return agent{
		name:  name,
		needs: "procmail",
		argv:  []string{"procmail", "-f", "{sender}", "$HOME/procmailrc"},
		make: func(t testing.TB, h *home) {
			rc := append([]string{"MAILDIR=$HOME/mail", "DEFAULT=$HOME/mail/inbox", "ORGMAIL=$DEFAULT"}, recipe...)
			h.write(t, "procmailrc", h.expand(strings.Join(rc, "\n")+"\n"))
		},
	}
}

func maildrop(name, filter string) agent {
	return agent{
		name:  name,
		needs: "maildrop",
		argv:  []string{"maildrop", "$HOME/mailfilter"},
		make:  func(t testing.TB, h *home) { h.write(t, "mailfilter", h.expand(filter+"\n")) },
	}
}

func storing(a agent) agent {
	a.stores = asItIs
	return a
}

func withOption(a agent, option string) agent {
	a.argv = slices.Insert(a.argv, 1, option)
	return a
}

func try(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mail is what the server has for the agent.
func (a agent) mail() string {
	const head = "From: bob@example.org\r\nTo: alice@example.org\r\nSubject: hello\r\n\r\n"
	const line = "This is a line of some sixty characters, as messages have them.\r\n"
	if a.large {
		return head + strings.Repeat(line, 10_000_000/len(line))
	}
	return head + line
}

// install puts the agent into h and has popsync use it.
func (a agent) install(t testing.TB, h *home) {
	if a.needs != "" {
		realtest.Need(t, a.needs)
	}
	if a.script != "" {
		h.program(t, "agent", "#!/bin/sh\n"+a.script+"\n")
	}
	if a.make != nil {
		a.make(t, h)
	}
	argv := a.argv
	if argv == nil {
		argv = []string{"$HOME/agent"}
	}
	patience := 20 * time.Second
	if a.spend.timeout {
		patience = timeout
	}
	h.configure(t, account{name: "work", user: "alice", keep: true, deliver: h.agent(argv, patience)})
}
