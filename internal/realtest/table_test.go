package realtest

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/servers.md anew")

// serversMD is the page with the table.
var serversMD = filepath.Join("..", "..", "docs", "servers.md")

// A row is what was found out about a server.
type row struct {
	version               string
	keep, delete, refuses bool
	announced             map[string]announced // by kind of TLS
	by                    map[string][]string  // kinds of TLS, by way to log in
	took                  map[LogIn]string     // mechanisms, as the server logs them
}

// announced is what a server says of itself.
type announced struct {
	stamp         bool // for APOP, in the greeting
	before, after []string
}

func newRow() *row {
	return &row{announced: map[string]announced{}, by: map[string][]string{}, took: map[LogIn]string{}}
}

func (r *row) saw(kind string, a announced) { r.announced[kind] = a }

func (r *row) loggedIn(l LogIn) { r.by[l.Auth] = append(r.by[l.Auth], l.TLS) }

// find returns the arguments of a capability, and whether it is there.
func find(capabilities []string, verb string) (args string, found bool) {
	for _, capability := range capabilities {
		name, args, _ := strings.Cut(capability, " ")
		if strings.EqualFold(name, verb) {
			return args, true
		}
	}
	return "", false
}

// compareTable compares docs/servers.md with what was found out, or writes it. Where a server was
// left out there is nothing to compare.
func compareTable(t *testing.T, rows []*row) {
	for _, r := range rows {
		if r == nil {
			t.Log("docs/servers.md is not looked at: not every server was tried")
			return
		}
	}
	page := renderServers(rows)
	if *update {
		if err := os.WriteFile(serversMD, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	was, err := os.ReadFile(serversMD)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(was), "\n"), strings.Split(page, "\n")); diff != "" {
		t.Errorf("docs/servers.md is not what was found out (-page +found); "+
			"go test ./internal/realtest -run TestServersTable -update writes it:\n%s", diff)
	}
}

const serversHead = `# Servers that popsync is tried with

Made by ` + "`go test ./internal/realtest -run TestServersTable -update`" + `, as root, after ` + "`make servers`" + `; compared
in every run of the tests. The servers are those of Debian 12, on loopback.

keep, delete: a mailbox of odd and ordinary messages is fetched with ` + "`keep: true`, `keep: false`" + `; a second poll brings
nothing, new mail comes alone, every message arrives once and as the server sends it, and what lies on the server
afterwards is what it should be. Refuses: a wrong password ends with status 77.

`

func renderServers(rows []*row) string {
	var b strings.Builder
	b.WriteString(serversHead)
	header(&b, "server", "version", "TLS", "keep", "delete", "refuses", "odd messages")
	for i, p := range Products {
		r := rows[i]
		line(&b, p.Name, r.version, protections(p.TLS), word(r.keep), word(r.delete), word(r.refuses), odd(p))
	}
	b.WriteString("\n## What they announce\n\nThe capabilities (RFC 2449) before the log-in, by kind of TLS; APOP: a stamp in the greeting.\n\n")
	header(&b, "server", "APOP", "mechanisms in the clear", "... over TLS", "PIPELINING before / after the log-in", "LOGIN-DELAY", "UTF8")
	for i, p := range Products {
		line(&b, append([]string{p.Name}, rows[i].capabilities(p)...)...)
	}
	b.WriteString("\n## Ways to log in\n\nThe value of `auth`, and the kinds of TLS over which a message came by it.\n\n")
	renderLogIns(&b, rows)
	b.WriteString("\n## What they log\n\nThe mechanism, where the server's log tells it.\n\n")
	renderTaken(&b, rows)
	b.WriteString("\n## Remarks\n\n")
	for _, p := range Products {
		if p.Remark != "" {
			fmt.Fprintf(&b, "- %s: %s\n", p.Name, p.Remark)
		}
	}
	return b.String()
}

// capabilities are the cells of a row about these.
func (r *row) capabilities(p Product) []string {
	plain := r.announced[Cleartext]
	sasl := func(kind string) string {
		a, tried := r.announced[kind]
		args, found := find(a.before, "SASL")
		switch {
		case !tried:
			return "no TLS"
		case !found:
			return "none"
		}
		mechanisms := strings.Fields(args)
		slices.Sort(mechanisms)
		return strings.Join(mechanisms, " ")
	}
	over := sasl(Implicit)
	if started, tried := r.announced[StartTLS]; tried && sasl(StartTLS) != over {
		over = fmt.Sprintf("%s (implicit), %s (STLS, of %d)", over, sasl(StartTLS), len(started.before))
	}
	_, before := find(plain.before, "PIPELINING")
	_, after := find(plain.after, "PIPELINING")
	delay, delayed := find(plain.before, "LOGIN-DELAY")
	utf8, isUTF8 := find(plain.before, "UTF8")
	return []string{
		word(plain.stamp), sasl(Cleartext), over, word(before) + " / " + word(after),
		orNone(delay, delayed), orNone(strings.TrimSpace("UTF8 "+utf8), isUTF8),
	}
}

func renderLogIns(b *strings.Builder, rows []*row) {
	names := []string{"auth"}
	ways := map[string]bool{}
	for i, p := range Products {
		names = append(names, p.Name)
		for _, l := range p.LogIns {
			ways[l.Auth] = true
		}
		for way := range rows[i].by {
			slices.SortFunc(rows[i].by[way], func(a, b string) int {
				return slices.Index(everyTLS, a) - slices.Index(everyTLS, b)
			})
		}
	}
	header(b, names...)
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		cells := []string{way}
		for _, r := range rows {
			cells = append(cells, orNone(strings.Join(r.by[way], ", "), len(r.by[way]) > 0))
		}
		line(b, cells...)
	}
}

// renderTaken shows for each way to log in what the server calls it.
func renderTaken(b *strings.Builder, rows []*row) {
	header(b, append([]string{"server", "auth"}, everyTLS...)...)
	for i, p := range Products {
		if p.Method == "" {
			continue
		}
		for _, way := range slices.Sorted(maps.Keys(rows[i].by)) {
			cells := []string{p.Name, way}
			for _, kind := range everyTLS {
				took, known := rows[i].took[LogIn{way, kind}]
				cells = append(cells, orNone(took, known))
			}
			line(b, cells...)
		}
	}
}

// odd says which messages could not be tried.
func odd(p Product) string {
	if len(p.Cannot) == 0 {
		return "all"
	}
	byReason := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(p.Cannot)) {
		byReason[p.Cannot[name]] = append(byReason[p.Cannot[name]], name)
	}
	var said []string
	for _, reason := range slices.Sorted(maps.Keys(byReason)) {
		said = append(said, fmt.Sprintf("%s (%s)", strings.Join(byReason[reason], ", "), reason))
	}
	return "all but " + strings.Join(said, "; ")
}

func protections(kinds []string) string { return strings.Join(kinds, ", ") }

func word(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func orNone(said string, there bool) string {
	if !there {
		return "-"
	}
	return said
}

func header(b *strings.Builder, cells ...string) {
	line(b, cells...)
	line(b, slices.Repeat([]string{"---"}, len(cells))...)
}

func line(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}
