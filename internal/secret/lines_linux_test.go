package secret

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A8: an address is pasted in sight; it may be longer than a terminal's own line, and keys that
// mend a line do so.
func TestLines(t *testing.T) {
	tty := newTerminal(t)
	before := tty.state(t)
	lines, err := OpenLines(tty.open)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("a", 10_000)
	tty.press(t, "http://x\x7f\x7fy\rwrong\x15right\r"+long+"\r\x04")
	var got []string
	s := bufio.NewScanner(lines)
	for s.Scan() {
		got = append(got, s.Text())
	}
	if diff := cmp.Diff([]string{"http:/y", "right", long}, got); diff != "" || s.Err() != nil {
		t.Errorf("%v %.200s", s.Err(), diff)
	}
	tty.await(t, "http://x\b \b\b \by")
	if err := lines.Close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, tty.state(t)); diff != "" {
		t.Errorf("the terminal is not as before:\n%s", diff)
	}
}

func TestLinesAreNotWaitedForAnyMore(t *testing.T) {
	tty := newTerminal(t)
	lines, err := OpenLines(tty.open)
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	_ = lines.SetReadDeadline(time.Now())
	if _, err := lines.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Error(err)
	}
}
