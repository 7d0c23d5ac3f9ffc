package agents

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/agents.md anew")

// agentsMD is the page.
var agentsMD = filepath.Join("..", "..", "docs", "agents.md")

// attempts is how many refusals there may be: the second poll shows whether the first was counted.
const attempts = 2

// slack is what a machine that is busy with other things may take longer.
const slack = 30 * time.Second

// D7, D8: every agent is tried twice with the built program. Popsync has to end in time, nothing may be
// left in the spool, and the mail has to be where it belongs; what else is found is compared with
// docs/agents.md.
func TestAgentsPage(t *testing.T) {
	if _, err := build(); err != nil {
		t.Fatal(err)
	}
	rows := make([][]string, len(groups))
	var aside []string
	t.Run("agents", func(t *testing.T) {
		t.Run("set aside", func(t *testing.T) {
			t.Parallel()
			aside = trySettingAside(t)
		})
		for i, g := range groups {
			rows[i] = make([]string, len(g.agents))
			for j, a := range g.agents {
				t.Run(a.name, func(t *testing.T) {
					t.Parallel()
					rows[i][j] = a.try(t)
				})
			}
		}
	})
	if t.Failed() {
		return
	}
	comparePage(t, rows, aside)
}

// try finds out what popsync makes of the agent, as a row of the page.
func (a agent) try(t testing.TB) string {
	h := newHome(t, slices.Repeat([]string{a.mail()}, max(1, a.mails))...)
	a.install(t, h)
	first := h.fetch(t)
	a.wantInTime(t, first)
	left := h.leftRunning(t)
	a.wantStored(t, h)
	again := h.fetch(t)
	h.leftRunning(t)
	h.wantNothingStaged(t)
	counted := len(h.files(t, "state/quarantine/work/new")) > 0
	outcome := becomes(t, first, again, counted)
	return row(a.name, outcome, fmt.Sprint(first.status), a.spend.atMost(), yesNo(left), code(t, first.said[0]))
}

// wantInTime wants that the agent has held popsync up for as long as the page says, and not longer.
func (a agent) wantInTime(t testing.TB, p poll) {
	t.Helper()
	if least := a.spend.time(); p.took < least || p.took > least+slack {
		t.Errorf("took %v, want %v, and a little more for all else", p.took, least)
	}
}

// wantStored compares what lies in mail/ with what the agent was to put there, line ends LF.
func (a agent) wantStored(t testing.TB, h *home) {
	t.Helper()
	if a.stores == nil {
		return
	}
	stored := slices.Sorted(maps.Values(h.files(t, "mail")))
	if a.needs != "" { // mbox: a line before the message, and an empty one behind it
		for i, s := range stored {
			_, s, _ = strings.Cut(s, "\n")
			stored[i] = strings.TrimSuffix(s, "\n")
		}
	}
	want := a.stores(strings.ReplaceAll(a.mail(), "\r\n", "\n"))
	if !slices.Equal(stored, want) {
		t.Errorf("mail/ holds %s, want %s", abridged(stored), abridged(want))
	}
}

func abridged(texts []string) string {
	var all []string
	for _, text := range texts {
		all = append(all, fmt.Sprintf("%d octets: %.200q", len(text), text))
	}
	return fmt.Sprint(all)
}

// wantNothingStaged wants that the agent's failure leaves no message in the spool.
func (h *home) wantNothingStaged(t testing.TB) {
	t.Helper()
	if staged := h.files(t, "state/spool"); len(staged) > 0 {
		t.Errorf("the spool holds %q", slices.Collect(maps.Keys(staged)))
	}
}

// becomes says in a word what becomes of the message, by what two polls did.
func becomes(t testing.TB, first, again poll, counted bool) string {
	t.Helper()
	switch {
	case first.status == 0 && again.status == 0 && again.retrieved == 0:
		return "delivered"
	case first.status == 75 && again.status == 75 && again.retrieved == first.retrieved && !counted:
		return "later"
	case first.status == 73 && again.retrieved == first.retrieved && counted:
		return "refused"
	case first.status == 73 && again.status == 73 && !counted && strings.Contains(first.said[0], ": deliver: message "):
		return "excused"
	case first.status == 73 && again.status == 73 && !counted:
		return "waits"
	}
	t.Errorf("neither delivered nor refused, and not for later: %+v, then %+v, counted: %v", first, again, counted)
	return ""
}

func (s spending) time() time.Duration {
	var sum time.Duration
	if s.timeout {
		sum += timeout
	}
	if s.grace {
		sum += grace
	}
	return sum
}

// atMost is that in words; the timeout is one's own to choose.
func (s spending) atMost() string {
	switch {
	case s.timeout && s.grace:
		return "the timeout and 3 s"
	case s.timeout:
		return "the timeout"
	case s.grace:
		return "3 s"
	}
	return "nothing"
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// prefix is what every line that popsync says begins with.
const prefix = "work: pop.example.org:110: deliver: "

// code is a line of popsync without the prefix, as a cell of a table may hold it.
func code(t testing.TB, said string) string {
	t.Helper()
	if said == "" {
		return ""
	}
	text, found := strings.CutPrefix(said, prefix)
	if !found {
		t.Errorf("popsync says %q, which does not begin with %q", said, prefix)
	}
	if len(text) > 160 {
		text = text[:120] + "…"
	}
	return "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
}

func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |" }

// comparePage compares docs/agents.md with what was found, or writes it. The row of an agent that
// was not tried stays as it is.
func comparePage(t *testing.T, rows [][]string, aside []string) {
	page, err := os.ReadFile(agentsMD)
	if err != nil && !*update {
		t.Fatal(err)
	}
	was := string(page)
	for i, g := range groups {
		for j, a := range g.agents {
			if rows[i][j] == "" {
				rows[i][j] = rowOf(was, g.title, a.name)
			}
		}
	}
	found := render(rows, aside)
	if *update {
		if err := os.WriteFile(agentsMD, []byte(found), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(was, "\n"), strings.Split(found, "\n")); diff != "" {
		t.Errorf("docs/agents.md is not what was found (-page +found); "+
			"go test ./internal/agents -run TestAgentsPage -update writes it:\n%s", diff)
	}
}

// rowOf finds the row of an agent on the page.
func rowOf(page, title, name string) string {
	_, section, _ := strings.Cut(page, "\n## "+title+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "| "+name+" | ") {
			return strings.TrimSuffix(line, "\n")
		}
	}
	return ""
}

const head = `# What popsync makes of a delivery agent

Made by ` + "`go test ./internal/agents -run TestAgentsPage -update`" + `, and compared in every run of the tests: the built program fetches a
message for each of these agents, twice. Whatever an agent does, popsync ends in time, and nothing is left in the spool.

| the message is | status | counts | which means |
| --- | --- | --- | --- |
| delivered | 0 | | the agent has exited 0, and is not given it again |
| refused | 73 | yes | the agent has said no to this message; it stays on the server and is handed over again at the next poll; the rest of the mailbox goes on |
| later | 75 | no | the agent could not say; otherwise the same |
| excused | 73 | no | as refused, but a shell says that a program is not there, and the message is not to blame |
| waits | 73 | no | no agent could be run, which concerns all messages: the account ends here, and what is not delivered stays on the server |

Counts: towards ` + "`deliver.max_attempts`" + `, after which a message is set aside (below). Takes: what popsync waits beyond an agent that ends by itself; the
other accounts go on meanwhile. Left running: a process of the agent when popsync has ended. What popsync says is its line on standard error, behind
` + "`" + prefix + "`" + `; a second line says what to do.

An agent that is to be asked again until it succeeds, whatever goes wrong, ends with 75: ` + "`procmail -t`" + `, or ` + "`mda: [sh, -c, \"my-agent || exit 75\"]`" + `.
`

const asideHead = `
## After deliver.max_attempts refusals

An agent exits 65 for the second of three messages and says ` + "`bad taste`; `max_attempts: 2`, `keep: false`" + `. The message lies in the quarantine as the agent was
given it, ` + "`reason/NAME`" + ` has the line without ` + "`message 2:`" + `, and the server keeps it.

| poll | handed over | status | popsync says | what to do |
| --- | --- | --- | --- | --- |
`

func render(rows [][]string, aside []string) string {
	var b strings.Builder
	b.WriteString(head)
	for i, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n\n", g.title)
		if g.about != "" {
			fmt.Fprintf(&b, "%s\n", g.about)
		}
		fmt.Fprintln(&b, row("the agent", "the message is", "status", "takes", "left running", "popsync says"))
		fmt.Fprintln(&b, row(slices.Repeat([]string{"---"}, 6)...))
		fmt.Fprintln(&b, strings.Join(rows[i], "\n"))
	}
	b.WriteString(asideHead)
	fmt.Fprintln(&b, strings.Join(aside, "\n"))
	return b.String()
}
