package agents

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// refuses has bad taste said of the message that is called bad, and the others delivered.
const refuses = `#!/bin/sh
echo $POPSYNC_UID >>$HOME/runs
cat >$HOME/mail/$POPSYNC_UID
grep -q '^Subject: bad' $HOME/mail/$POPSYNC_UID || exit 0
rm $HOME/mail/$POPSYNC_UID
echo 'bad taste' >&2
exit 65
`

// trySettingAside polls until a message has been refused too often, and once more. Each poll is a
// row of the page.
func trySettingAside(t testing.TB) []string {
	const bad = "Subject: bad\r\n\r\nand\rodd\r\n"
	h := newHome(t, "Subject: one\r\n\r\n", bad, "Subject: three\r\n\r\n")
	h.program(t, "agent", refuses)
	h.configure(t, account{name: "work", user: "alice", deliver: h.agent([]string{"$HOME/agent"}, 20*time.Second)})
	var rows []string
	for n := range attempts + 1 {
		h.write(t, "runs", "")
		p := h.fetch(t)
		runs, hint := strings.Fields(h.files(t, ".")["runs"]), ""
		if len(p.said) > 1 {
			hint = strings.TrimSpace(p.said[1])
		}
		rows = append(rows, row(fmt.Sprint(n+1), strings.Join(runs, ", "), fmt.Sprint(p.status), code(t, p.said[0]), hint))
	}
	h.wantSetAside(t, strings.ReplaceAll(bad, "\r\n", "\n"), "/home/alice/agent: exit status 65 (data error): bad taste\n")
	return rows
}

// wantSetAside wants the quarantine to hold mail and its reason, under one name, and the server the
// message and none of those that were delivered.
func (h *home) wantSetAside(t testing.TB, mail, reason string) {
	t.Helper()
	const quarantine = "state/quarantine/work/"
	aside, reasons := h.files(t, quarantine+"new"), h.files(t, quarantine+"reason")
	if len(aside) != 1 || len(reasons) != 1 {
		t.Fatalf("set aside are %q for %q, want one for one reason", aside, reasons)
	}
	for name, text := range aside {
		base, _, _ := strings.Cut(name, ",")
		if text != mail || h.asOnThePage(reasons[base]) != reason {
			t.Errorf("set aside is %q for %q, want %q for %q", text, reasons, mail, reason)
		}
	}
	if left := h.server.Mailbox("alice").UIDs(); !slices.Equal(left, []string{"uid-2"}) {
		t.Errorf("on the server lie %q, want the refused one alone", left)
	}
	h.wantNothingStaged(t)
}
