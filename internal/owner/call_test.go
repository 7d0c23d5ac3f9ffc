package owner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHellosAreExchanged(t *testing.T) {
	path := socketPath(t)
	met := make(chan Hello, 1)
	serve(t, path, generous, func(_ context.Context, r *Request) (any, error) {
		met <- r.Client
		return nil, nil
	})
	c, hello, err := Dial(t.Context(), path, bob)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := Hello{Schema: Schema, Version: "1.4", PID: os.Getpid(), Command: "run", Config: "/etc/popsync.yaml"}
	if diff := cmp.Diff(want, hello); diff != "" {
		t.Error("the owner's:\n", diff)
	}
	if _, err := c.Call(t.Context(), "echo", nil, nil); err != nil {
		t.Fatal(err)
	}
	want = Hello{Schema: Schema, Version: "1.5", PID: os.Getpid(), Command: "fetch", Config: "/home/bob/popsync.yaml"}
	if diff := cmp.Diff(want, <-met); diff != "" {
		t.Error("the client's:\n", diff)
	}
}

func TestCall(t *testing.T) {
	type order struct{ Account string }
	handle := func(_ context.Context, r *Request) (any, error) {
		switch r.Do {
		case "echo":
			return r.Body, nil
		case "nothing":
			return nil, nil
		case "count":
			for n := range 3 {
				r.Tell(n)
				if err := r.Emit(fmt.Sprint("no ", n)); err != nil {
					return nil, err
				}
			}
			return "counted", nil
		case "refuse":
			return nil, fmt.Errorf("as it is: %w", NewFailure("refused", order{"work"}))
		case "break":
			return nil, errors.New("disk: no space left on device")
		case "unfit":
			return func() {}, nil
		case "unfit failure":
			return nil, &Failure{Code: "broken", Detail: json.RawMessage("{")}
		case "long":
			return strings.Repeat("x", maxLine), nil
		case "long event":
			return nil, r.Emit(strings.Repeat("x", maxLine))
		}
		return nil, NewFailure("unknown", r.Do)
	}
	path := socketPath(t)
	serve(t, path, generous, handle)
	for _, tt := range []struct {
		name   string
		do     string
		body   any
		events []string
		want   string
		err    string
	}{
		{name: "an answer", do: "echo", body: order{"work <a@b> ä"}, want: `{"Account":"work \u003ca@b\u003e ä"}`},
		{name: "no body", do: "echo", want: "null"},
		{name: "a long body", do: "echo", body: strings.Repeat("x", 3<<20), want: `"` + strings.Repeat("x", 3<<20) + `"`},
		{name: "no answer but done", do: "nothing", want: "null"},
		{name: "events", do: "count", events: []string{"0", `"no 0"`, "1", `"no 1"`, "2", `"no 2"`}, want: `"counted"`},
		{name: "a failure", do: "refuse", err: `{"code":"refused","detail":{"Account":"work"}}`},
		{name: "another error", do: "break", err: `{"code":"internal","detail":"disk: no space left on device"}`},
		{name: "an answer that JSON cannot hold", do: "unfit", err: `{"code":"internal","detail":"json: unsupported type: func()"}`},
		{name: "a detail that is no JSON", do: "unfit failure", err: `{"code":"internal","detail":"broken: json: error calling MarshalJSON for type json.RawMessage: unexpected end of JSON input"}`},
		{name: "an answer that is too long", do: "long", err: `{"code":"internal","detail":"a line of more than 4194304 octets"}`},
		{name: "an event that is too long", do: "long event", err: `{"code":"internal","detail":"a line of more than 4194304 octets"}`},
		{name: "nothing asked for", do: "", err: `{"code":"protocol","detail":"a line that is no message"}`},
		{name: "a code of the handler's", do: "dance", err: `{"code":"unknown","detail":"dance"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var events []string
			got, err := dialled(t, path).Call(t.Context(), tt.do, tt.body, func(e json.RawMessage) error {
				events = append(events, text(e))
				return nil
			})
			if text(got) != tt.want {
				t.Errorf("answer %.100s, want %.100s", got, tt.want)
			}
			if diff := cmp.Diff(tt.events, events); diff != "" {
				t.Error("events:\n", diff)
			}
			if f, ok := errors.AsType[*Failure](err); ok != (tt.err != "") || ok && string(failed(f)) != `{"failed":`+tt.err+"}\n" {
				t.Errorf("error %v, want %s", err, tt.err)
			}
		})
	}
}

func TestCallRefusesWhatItCannotSend(t *testing.T) {
	path := socketPath(t)
	serve(t, path, generous, echo)
	for _, body := range []any{func() {}, strings.Repeat("x", maxLine)} {
		if _, err := dialled(t, path).Call(t.Context(), "echo", body, nil); err == nil || ended(err) {
			t.Errorf("a %T is sent: %v", body, err)
		}
	}
	c := dialled(t, path)
	if _, err := c.Call(t.Context(), "echo", nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Call(t.Context(), "echo", nil, nil); err == nil || errors.Is(err, ErrGone) {
		t.Errorf("a second request: %v", err)
	}
}

func TestEventsErrorEndsTheCall(t *testing.T) {
	path := socketPath(t)
	left := make(chan bool)
	serve(t, path, generous, func(ctx context.Context, r *Request) (any, error) {
		defer close(left)
		return untilEnd(ctx, r)
	})
	c := dialled(t, path)
	enough := errors.New("enough")
	if _, err := c.Call(t.Context(), "work", nil, func(jsonEvent) error { return enough }); err != enough {
		t.Errorf("got %v", err)
	}
	c.Close()
	<-left // the request has ended with its client
}

func TestEndOfContextEndsWaiting(t *testing.T) {
	path := socketPath(t)
	serve(t, path, generous, untilEnd)
	stopped := errors.New("stopped")

	ctx, cancel := context.WithCancelCause(t.Context())
	c := dialled(t, path)
	if _, err := c.Call(ctx, "work", nil, func(jsonEvent) error { cancel(stopped); return nil }); err != stopped {
		t.Errorf("Call: %v", err)
	}
	idle := dialled(t, path)
	if err := idle.WaitGone(ctx); err != stopped {
		t.Errorf("WaitGone: %v", err)
	}
	if _, _, err := Dial(ctx, path, bob); err != stopped {
		t.Errorf("Dial: %v", err)
	}
}

// Another version's owner is not asked, but can be waited for.
func TestAnotherSchemaIsRefused(t *testing.T) {
	path := socketPath(t)
	serve(t, path, generous, echo)
	w := newWire(t, path)
	w.put(`{"hello":{"schema":99,"news":[]}}` + "\n")
	if m := w.next(); m.Hello == nil || m.Hello.Schema != Schema {
		t.Errorf("got %+v", m)
	}
	w.put(`{"do":"echo"}` + "\n")
	if m := w.next(); m.Failed == nil || m.Failed.Code != CodeSchema {
		t.Errorf("got %+v", m)
	}
	w.CloseWrite()
	if rest := w.rest(); len(rest) != 0 {
		t.Errorf("then %+v", rest)
	}
}

func TestManyClientsAtOnce(t *testing.T) {
	path := socketPath(t)
	l := serve(t, path, generous, func(_ context.Context, r *Request) (any, error) {
		for n := range 100 {
			if err := r.Emit(n); err != nil {
				return nil, err
			}
		}
		return r.Body, nil
	})
	var clients sync.WaitGroup
	for n := range 100 {
		clients.Go(func() {
			c, _, err := Dial(t.Context(), path, bob)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			events := 0
			got, err := c.Call(t.Context(), "count", n, func(jsonEvent) error { events++; return nil })
			if err != nil || text(got) != fmt.Sprint(n) || events != 100 {
				t.Errorf("client %d: %s after %d events, %v", n, got, events, err)
			}
		})
	}
	clients.Wait()
	l.Drain(t.Context())
}

type jsonEvent = json.RawMessage

// code is the code of a Failure.
func code(err error) string {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f.Code
	}
	return ""
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
