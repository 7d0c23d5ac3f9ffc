package owner

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// A lazyConn has something to read after so many looks in vain.
type lazyConn struct {
	net.Conn
	vain int
}

func (c *lazyConn) SetReadDeadline(time.Time) error { return nil }

func (c *lazyConn) Read(b []byte) (int, error) {
	if c.vain--; c.vain >= 0 {
		return 0, os.ErrDeadlineExceeded
	}
	return copy(b, "x"), nil
}

func TestPatientCountsLooks(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name string
		call context.Context
		vain int
		want error
	}{
		{"the last look finds something", t.Context(), silence - 1, nil},
		{"none does", t.Context(), silence, ErrSilent},
		{"the call is over", over, 1, os.ErrDeadlineExceeded},
		{"no call", nil, 1, os.ErrDeadlineExceeded},
	} {
		p := &patient{conn: &lazyConn{vain: tt.vain}, call: tt.call}
		n, err := p.Read(make([]byte, 1))
		if !errors.Is(err, tt.want) || n != 1 && err == nil {
			t.Errorf("%s: %d octets, %v; want %v", tt.name, n, err, tt.want)
		}
	}
}

func TestSignsOfLife(t *testing.T) {
	path := socketPath(t)
	const tick = 10 * time.Millisecond
	serve(t, path, quick, func(ctx context.Context, r *Request) (any, error) {
		sleep(ctx, 2*silence*tick)
		return "late", r.Emit("work")
	})
	c := dialled(t, path)
	c.owner.tick = tick
	got, err := c.Call(t.Context(), "work", nil, func(jsonEvent) error {
		time.Sleep(2 * silence * tick) // an event that its reader takes its time with is no silence
		return nil
	})
	if text(got) != `"late"` || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if err := c.WaitGone(expired(t)); err != context.DeadlineExceeded {
		t.Errorf("then no sign of life is expected, and WaitGone says %v", err)
	}
}

// expired is a context that ends when an owner would count as silent long since.
func expired(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}
