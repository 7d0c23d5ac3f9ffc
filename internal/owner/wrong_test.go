package owner

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

const (
	helloLine = `{"hello":{"schema":1,"version":"1"}}` + "\n"
	workLine  = `{"do":"work"}` + "\n"
)

func TestWrongClientsAreToldSo(t *testing.T) {
	for _, tt := range []struct{ name, sends, want string }{
		{"an empty line", "\n", "a line that is no message: unexpected end of JSON input"},
		{"another protocol", "GET / HTTP/1.1\r\n", "a line that is no message: invalid character 'G' looking for beginning of value"},
		{"no hello", workLine, "a hello comes first"},
		{"two hellos", helloLine + helloLine, "a request comes after the hello"},
		{"garbage for a request", helloLine + "\x00\xff\n", `a line that is no message: invalid character '\x00' looking for beginning of value`},
		{"a hello without end", strings.Repeat("x", 2*maxLine), "a line of more than 4194304 octets"},
		{"a request without end", helloLine + strings.Repeat("x", 2*maxLine), "a line of more than 4194304 octets"},
		{"a second request", helloLine + workLine + workLine, "a connection is for one request"},
		{"half of a second request", helloLine + workLine + "{", "a connection is for one request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := socketPath(t)
			l := serve(t, path, generous, untilEnd)
			w := newWire(t, path)
			go w.put(tt.sends) // the owner may end it before it has taken all
			w.wantRefusal(tt.want)
			l.Drain(t.Context())
		})
	}
}

func TestWhatClientsBeginHasToBeFinished(t *testing.T) {
	path := socketPath(t)
	serve(t, path, quick, echo)
	for _, sends := range []string{"", helloLine[:10], helloLine + workLine[:5]} {
		w := newWire(t, path)
		w.put(sends)
		w.wantRefusal("no whole line within 200ms")
	}
}

// wantRefusal reads to the end, which has to be a failure of the client's.
func (w wire) wantRefusal(want string) {
	w.Helper()
	got := w.rest()
	if len(got) == 0 || got[len(got)-1].Failed == nil {
		w.Fatalf("got %+v", got)
	}
	if f := got[len(got)-1].Failed; f.Error() != "protocol: "+want {
		w.Errorf("got %v; want %s", f, want)
	}
}

func TestSecondRequestAfterTheAnswerEndsTheConnection(t *testing.T) {
	path := socketPath(t)
	serve(t, path, generous, func(_ context.Context, r *Request) (any, error) { return string(r.Body), nil })
	w := newWire(t, path)
	w.put(helloLine + workLine)
	w.next()
	if m := w.next(); text(m.Done) != `"null"` {
		t.Errorf("got %+v", m)
	}
	w.put(workLine)
	if rest := w.rest(); len(rest) != 0 {
		t.Errorf("then %+v", rest)
	}
}

// A client may leave at any point, and the owner's seat for it is free again.
func TestClientsThatVanish(t *testing.T) {
	path := socketPath(t)
	seats := generous
	seats.clients = 1
	l := serve(t, path, seats, untilEnd)
	talk := helloLine + workLine
	for n := range len(talk) + 1 {
		w := newWire(t, path)
		w.put(talk[:n])
		w.Close()
		waitFor(t, "a free seat", func() bool { return len(l.seats) == 0 })
	}
	l.Drain(t.Context())
}

func TestSurplusClientsAreRefused(t *testing.T) {
	path := socketPath(t)
	l := serve(t, path, quick, echo)
	var idle []*Conn
	for range quick.clients {
		idle = append(idle, dialled(t, path))
	}
	if _, _, err := Dial(t.Context(), path, bob); code(err) != CodeBusy {
		t.Errorf("one too many: %v", err)
	}
	time.Sleep(2 * quick.promptly) // that those who wait stay is the claim
	if _, err := idle[0].Call(t.Context(), "echo", nil, nil); err != nil {
		t.Errorf("an idle one: %v", err)
	}
	idle[1].Close()
	waitFor(t, "a free seat", func() bool { return len(l.seats) < quick.clients })
	dialled(t, path)
}

func TestTellNeverWaits(t *testing.T) {
	path := socketPath(t)
	told := make(chan bool)
	l := serve(t, path, generous, func(_ context.Context, r *Request) (any, error) {
		for n := range 5000 {
			r.Tell([]any{n, strings.Repeat("x", 1000)})
		}
		close(told)
		return "done", nil
	})
	w := newWire(t, path)
	w.put(helloLine + workLine)
	<-told // nothing has been read
	got := w.restUntilDone()
	if n := len(got); n < 500 || n > 4000 {
		t.Errorf("%d events of 5000", n)
	}
	last := -1.
	for _, e := range got {
		n := e.([]any)[0].(float64)
		if n <= last {
			t.Fatalf("%v after %v", n, last)
		}
		last = n
	}
	l.Drain(t.Context())
}

func TestDrainGivesUpAStuckClient(t *testing.T) {
	path := socketPath(t)
	given, begun := make(chan error, 2), make(chan bool)
	l := serve(t, path, quick, func(_ context.Context, r *Request) (any, error) {
		close(begun)
		var err error
		for err == nil {
			err = r.Emit(strings.Repeat("x", 1000))
		}
		given <- err
		given <- r.Emit("again")
		return nil, err
	})
	w := newWire(t, path)
	w.put(helloLine + workLine)
	<-begun
	select {
	case err := <-given:
		t.Errorf("given up before: %v", err)
	case <-time.After(2 * quick.patience):
	}
	l.Drain(t.Context())
	for range 2 {
		if err := <-given; err != errStuck {
			t.Errorf("got %v", err)
		}
	}
	for _, m := range w.rest() {
		if m.Done != nil || m.Failed != nil {
			t.Errorf("got %+v", m)
		}
	}
}

func TestDrainGivesUpAClientThatDoesNotTakeItsAnswer(t *testing.T) {
	path := socketPath(t)
	l := serve(t, path, quick, func(_ context.Context, r *Request) (any, error) {
		return strings.Repeat("x", maxLine/2), nil
	})
	w := newWire(t, path)
	w.put(helloLine + workLine)
	waitFor(t, "a request", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.requests > 0
	})
	l.Drain(t.Context())
	waitFor(t, "a free seat", func() bool { return len(l.seats) == 0 })
}

func TestNothingIsToldAfterTheAnswer(t *testing.T) {
	path := socketPath(t)
	requests := make(chan *Request, 1)
	serve(t, path, generous, func(_ context.Context, r *Request) (any, error) {
		requests <- r
		return nil, nil
	})
	w := newWire(t, path)
	w.put(helloLine + workLine)
	w.next()
	w.next()
	r := <-requests
	r.Tell("late")
	if err := r.Emit("late"); err != errOver {
		t.Errorf("Emit: %v", err)
	}
	w.CloseWrite()
	if rest := w.rest(); len(rest) != 0 {
		t.Errorf("then %+v", rest)
	}
}

func TestWrongOwners(t *testing.T) {
	hello := `{"hello":{"schema":1,"version":"1","pid":1,"command":"run","config":"/c","ending":false}}` + "\n"
	for _, tt := range []struct {
		name, sends string
		want        error
		text        string
	}{
		{name: "leaves at once", sends: "", want: ErrNobody},
		{name: "half a hello", sends: hello[:20], want: ErrNobody},
		{name: "another protocol", sends: "+OK ready\r\n", text: "no popsync, or another version: it sends a line that is no message"},
		{name: "a line without end", sends: strings.Repeat("x", 2*maxLine), text: "it sends a line of more than 4194304 octets"},
		{name: "no hello", sends: `{"done":1}` + "\n", text: "it sends no hello"},
		{name: "an empty hello", sends: `{"hello":{}}` + "\n", text: "it sends no hello"},
		{name: "refuses", sends: `{"failed":{"code":"busy"}}` + "\n", text: "busy"},
		{name: "leaves after its hello", sends: hello, want: ErrGone},
		{name: "leaves with half an event", sends: hello + `{"event"`, want: ErrGone},
		{name: "a second hello", sends: hello + hello, text: "it sends neither an event nor an answer"},
		{name: "garbage", sends: hello + "}\n", text: "it sends a line that is no message"},
		{name: "refuses the request", sends: hello + `{"failed":{"code":"ending"}}` + "\n", text: "ending"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := socketPath(t)
			impostor(t, path, tt.sends)
			c, _, err := Dial(t.Context(), path, bob)
			if err == nil {
				defer c.Close()
				_, err = c.Call(t.Context(), "work", nil, nil)
			}
			if tt.want != nil && err != tt.want || err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %v%s", err, tt.want, tt.text)
			}
		})
	}
}

// The kernel tells a client that the owner has not read all of what it sent.
func TestWaitGoneTakesAResetForTheEnd(t *testing.T) {
	path := socketPath(t)
	impostor(t, path, helloLine)
	if err := dialled(t, path).WaitGone(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOwnerThatTakesNoRequestIsSilent(t *testing.T) {
	path := socketPath(t)
	l, err := Listen(path) // and no Serve
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := connect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(path, conn, 50*time.Millisecond)
	defer c.Close()
	if _, err := c.Call(t.Context(), "work", strings.Repeat("x", 3<<20), nil); err != ErrSilent {
		t.Errorf("got %v", err)
	}
}

func TestOwnerThatDoesNotAnswerIsSilent(t *testing.T) {
	path := socketPath(t)
	l, err := Listen(path) // and no Serve
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, _, err := dial(t.Context(), path, bob, 50*time.Millisecond); err != ErrSilent {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := dial(ctx, path, bob, time.Minute); err != context.DeadlineExceeded {
		t.Errorf("where the context ends before: %v", err)
	}
}

func FuzzServe(f *testing.F) {
	for _, seed := range []string{
		"", helloLine, helloLine + workLine, helloLine + workLine + workLine, workLine, "\n", "{\"hello\":null}\n",
		helloLine + `{"do":"work","body":{"a":[1,2]}}` + "\n", helloLine + `{"do":"work","failed":{}}` + "\n",
	} {
		f.Add([]byte(seed))
	}
	path := socketPath(f)
	serve(f, path, generous, func(_ context.Context, r *Request) (any, error) {
		r.Tell(r.Client)
		return r.Body, r.Emit(r.Do)
	})
	f.Fuzz(func(t *testing.T, text []byte) {
		w := newWire(t, path)
		w.Write(text) // the owner may have ended it
		w.CloseWrite()
		for i, m := range w.rest() { // each of them a message
			if (m.Hello != nil) != (i == 0 && m.Failed == nil) || m.Do != "" {
				t.Errorf("line %d is %+v", i, m)
			}
		}
	})
}

// restUntilDone are the events before the answer.
func (w wire) restUntilDone() (events []any) {
	w.Helper()
	w.CloseWrite()
	for _, m := range w.rest() {
		if m.Event != nil {
			events = append(events, decoded(w, m.Event))
		}
	}
	return events
}

// impostor listens at path, reads the first octet of one client, sends text and leaves.
func impostor(t testing.TB, path, text string) {
	t.Helper()
	socket, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	go func() {
		defer close(done)
		conn, err := socket.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Read(make([]byte, 1))
		conn.Write([]byte(text))
	}()
	t.Cleanup(func() { socket.Close(); <-done })
}
