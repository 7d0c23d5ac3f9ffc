package pop3

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// headers is what Top makes of a reply.
func headers(t testing.TB, conn *endless) (got []byte, err error) {
	t.Helper()
	c := &Client{c: newConn(conn, time.Minute, func(string) {})}
	err = c.Top(t.Context(), slices.Values([]Message{{Number: 1}}), func(_ Message, header []byte, _ *ResponseError) error {
		got = slices.Clone(header)
		return nil
	})
	return got, err
}

// W3: of a header 256 KiB are kept; one without end is given up.
func TestTopIsBounded(t *testing.T) {
	line := strings.Repeat("x", 70) + "\r\n"
	if got, err := headers(t, &endless{pattern: []byte("+OK\r\n" + line), size: 8 << 20, end: "\r\n.\r\n"}); err != nil || len(got) != keepHeader {
		t.Errorf("%d octets, %v", len(got), err)
	}
	if _, err := headers(t, &endless{pattern: []byte("+OK\r\n" + line), size: 1 << 40}); !errors.Is(err, ErrProtocol) {
		t.Errorf("%v", err)
	}
}

// W7: no more than 8 MiB of headers are asked for ahead.
func TestTopWindow(t *testing.T) {
	w := window{}
	n := 0
	for ; w.open(); n++ {
		w.add(call{verb: "TOP", args: "1 0", expect: keepHeader})
	}
	if n != windowReplies/keepHeader {
		t.Errorf("%d commands ahead", n)
	}
}
