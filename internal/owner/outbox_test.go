package owner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// outboxes runs test in a bubble of virtual time with the outbox of an owner that wants to end or
// not, and has a patience of 10 seconds then, and with the client's end of its connection.
func outboxes(t *testing.T, ending bool, test func(t *testing.T, o *outbox, client net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		if ending {
			close(end)
		}
		ours, theirs := net.Pipe()
		defer ours.Close()
		defer theirs.Close()
		test(t, newOutbox(ours, end, 10*time.Second), theirs)
	})
}

// event is a line of 1000 octets.
func event(n int) []byte { return fmt.Appendf(nil, "%-999d\n", n) }

// A client that takes a little from time to time is waited for, however long it takes in all.
func TestOutboxWaitsForASlowClient(t *testing.T) {
	for _, tt := range []struct {
		ending bool
		pause  time.Duration
	}{{false, time.Hour}, {true, 9 * time.Second}} {
		outboxes(t, tt.ending, func(t *testing.T, o *outbox, client net.Conn) {
			const events = 3 * maxWaiting / 1000
			var got bytes.Buffer
			read := make(chan error)
			go func() {
				var err error
				for err == nil {
					time.Sleep(tt.pause)
					_, err = io.CopyN(&got, client, chunk)
				}
				read <- err
			}()
			var want bytes.Buffer
			for n := range events {
				want.Write(event(n))
				if err := o.put(t.Context(), event(n)); err != nil {
					t.Fatalf("event %d: %v", n, err)
				}
			}
			if err := o.finish([]byte("done\n")); err != nil {
				t.Error(err)
			}
			o.conn.Close()
			if err := <-read; err != io.EOF {
				t.Error(err)
			}
			want.WriteString("done\n")
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("%d octets have come of %d, or others", got.Len(), want.Len())
			}
		})
	}
}

func TestOutboxGivesUpOnAStuckClient(t *testing.T) {
	outboxes(t, true, func(t *testing.T, o *outbox, client net.Conn) {
		go func() {
			time.Sleep(5 * time.Second)
			io.CopyN(io.Discard, client, chunk)
		}()
		begun := time.Now()
		var err error
		for err == nil {
			err = o.put(t.Context(), event(0))
		}
		if took := time.Since(begun); err != errStuck || took != 15*time.Second {
			t.Errorf("%v after %v; want 10 s since it last took something", err, took)
		}
		if again := errors.Join(o.put(t.Context(), event(0)), o.finish(nil)); !errors.Is(again, errStuck) || time.Since(begun) != 15*time.Second {
			t.Errorf("then %v after %v", again, time.Since(begun))
		}
	})
}

func TestOutboxAnswerGivesUpOnAStuckClient(t *testing.T) {
	outboxes(t, true, func(t *testing.T, o *outbox, client net.Conn) {
		begun := time.Now()
		if err := o.finish(event(0)); err != errStuck || time.Since(begun) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// An hour without reading costs a client what it was told meanwhile, and no more.
func TestOutboxOffersToASuspendedClient(t *testing.T) {
	outboxes(t, false, func(t *testing.T, o *outbox, client net.Conn) {
		begun := time.Now()
		const events = 3 * maxWaiting / 1000
		for n := range events {
			o.offer(event(n))
		}
		if took := time.Since(begun); took != 0 {
			t.Errorf("offer has waited for %v", took)
		}
		time.Sleep(time.Hour)
		read := make(chan []byte)
		go func() {
			got, _ := io.ReadAll(client)
			read <- got
		}()
		if err := o.finish([]byte("done\n")); err != nil {
			t.Error(err)
		}
		o.conn.Close()
		lines := strings.Split(string(<-read), "\n")
		if n := len(lines); n != maxWaiting/1000+2 || lines[n-2] != "done" { // the last one is ""
			t.Errorf("%d lines have come, and at last %q", n, lines[n-2])
		}
		for n, line := range lines[:len(lines)-2] {
			if line+"\n" != string(event(n)) {
				t.Fatalf("line %d is %q", n, line)
			}
		}
	})
}

func TestOutboxTakesNothingAfterItsLastLine(t *testing.T) {
	outboxes(t, false, func(t *testing.T, o *outbox, client net.Conn) {
		finished := make(chan error)
		go func() {
			err := o.finish([]byte("done\n"))
			o.conn.Close()
			finished <- err
		}()
		synctest.Wait() // for the client
		o.offer(event(0))
		if err := o.put(t.Context(), event(1)); err != errOver {
			t.Errorf("put says %v", err)
		}
		got, err := io.ReadAll(client)
		if string(got) != "done\n" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if err := <-finished; err != nil {
			t.Error(err)
		}
	})
}

func TestOutboxTakesALongLineWhereNothingWaits(t *testing.T) {
	outboxes(t, false, func(t *testing.T, o *outbox, client net.Conn) {
		go io.Copy(io.Discard, client)
		for range 2 {
			if err := o.put(t.Context(), make([]byte, 2*maxWaiting)); err != nil {
				t.Error(err)
			}
		}
		if err := o.finish(nil); err != nil {
			t.Error(err)
		}
	})
}

func TestOutboxPutEndsWithItsContext(t *testing.T) {
	outboxes(t, false, func(t *testing.T, o *outbox, client net.Conn) {
		left := errors.New("left")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(left) })
		var err error
		for err == nil {
			err = o.put(ctx, event(0))
		}
		if err != left {
			t.Errorf("got %v", err)
		}
		client.Close()
		if err := o.finish(nil); err == nil {
			t.Error("nothing of it is told, and finish says that all is well")
		}
	})
}
