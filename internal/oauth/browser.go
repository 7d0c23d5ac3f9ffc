package oauth

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Browser logs a person in at the provider's page, with code, state and PKCE. The browser brings
// the answer to a port of this machine, or the person pastes its last address: whichever comes
// first within ten minutes.
func (s *Source) Browser(ctx context.Context, p Person) (Tokens, error) {
	listeners, port, err := listen(p.Port)
	if err != nil {
		return Tokens{}, err
	}
	a, err := s.authorization(port)
	if err != nil {
		closeAll(listeners)
		return Tokens{}, err
	}
	return s.authorize(ctx, p, a, listeners, s.browserWords(p, a, port))
}

// Paste is [Source.Browser] without a port: the answer is pasted.
func (s *Source) Paste(ctx context.Context, p Person) (Tokens, error) {
	port := p.Port
	if port == 0 { // one where nobody listens, so that the browser stops there with the address in sight
		listeners, free, err := listen(0)
		if err != nil {
			return Tokens{}, err
		}
		closeAll(listeners)
		port = free
	}
	a, err := s.authorization(port)
	if err != nil {
		return Tokens{}, err
	}
	p.Open = nil
	return s.authorize(ctx, p, a, nil, s.pasteWords(a))
}

// browserWords need no escapes: the URL is from the configuration, and url.Parse let no control
// character through.
func (s *Source) browserWords(p Person, a authorization, port int) string {
	text := "Open this address in a browser and log in:\n\n  " + a.url + "\n"
	if p.SSH != "" {
		text += "\nIf the browser is on another machine, let it reach this one, in another terminal there:\n\n  " + tunnel(p.SSH, port) + "\n"
	}
	if p.Paste != nil {
		text += "\nOr let the browser end at a page that it cannot show, and paste that page's address\nhere (it begins with " + a.redirect + "):\n"
	}
	return text
}

func (s *Source) pasteWords(a authorization) string {
	return "Open this address in a browser on any machine and log in:\n\n  " + a.url +
		"\n\nThe browser ends at a page that it cannot show. Paste that page's address here\n(it begins with " + a.redirect + "):\n"
}

// authorize waits for the answer and redeems it. The listeners are closed in the end.
func (s *Source) authorize(ctx context.Context, p Person, a authorization, listeners []net.Listener, words string) (Tokens, error) {
	say(p.Say, words)
	waiting, stop := context.WithTimeoutCause(ctx, patience, errNobody)
	defer stop()
	verdicts := make(chan verdict, 1)
	closeServer := s.serve(a, listeners, verdicts)
	closeReader := s.readPasted(a, p, len(listeners) == 0, verdicts)
	if p.Open != nil {
		if err := p.Open(a.url); err != nil {
			say(p.Say, "No browser could be opened here; the address above does it by hand.\n")
		}
	}
	var v verdict
	select {
	case v = <-verdicts:
	case <-waiting.Done():
		v.err = s.nobody(waiting, context.Cause(waiting))
	}
	closeReader()
	closeServer()
	if v.err != nil {
		return Tokens{}, v.err
	}
	return s.redeem(ctx, a, v.code)
}

func say(w io.Writer, text string) { _, _ = io.WriteString(w, text) }

// listen opens port on both loopback addresses: "localhost" may mean either. 0 is any port that is
// free on both. A machine without IPv6 has one.
func listen(port int) ([]net.Listener, int, error) {
	var taken error
	for range 20 {
		four, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, 0, cannotListen(port, err)
		}
		chosen := four.Addr().(*net.TCPAddr).Port
		six, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(chosen)))
		switch {
		case err == nil:
			return []net.Listener{four, six}, chosen, nil
		case !errors.Is(err, syscall.EADDRINUSE):
			return []net.Listener{four}, chosen, nil
		}
		four.Close()
		if taken = err; port != 0 {
			break
		}
	}
	return nil, 0, cannotListen(port, taken)
}

func cannotListen(port int, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if sys, ok := errors.AsType[interface {
		error
		Unwrap() error
	}](err); ok {
		err = sys.Unwrap()
	}
	return errorf(Configuration, "choose another one: --port N", "port %d of this machine: %w", port, err)
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

// serve answers browsers until it is closed. The first answer that is ours goes to verdicts.
func (s *Source) serve(a authorization, listeners []net.Listener, verdicts chan<- verdict) (shut func()) {
	if len(listeners) == 0 {
		return func() {}
	}
	server := &http.Server{
		Handler:           s.page(a, verdicts),
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          nobodysLog,
	}
	var running sync.WaitGroup
	for _, l := range listeners {
		running.Go(func() { _ = server.Serve(l) })
	}
	return func() {
		patient, cancel := context.WithTimeout(context.Background(), 2*time.Second) // for the page to arrive
		defer cancel()
		if server.Shutdown(patient) != nil {
			server.Close()
		}
		running.Wait()
	}
}

// page is what the browser sees.
func (s *Source) page(a authorization, verdicts chan<- verdict) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/":
			http.NotFound(w, r)
			return
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			http.Error(w, "GET only", http.StatusMethodNotAllowed)
			return
		}
		v, ok := s.verdict(a, r.URL.Query())
		if !ok {
			show(w, http.StatusBadRequest, "This is not the answer that popsync waits for. Open the address that it shows in the terminal.")
			return
		}
		first(verdicts, v)
		if v.err != nil {
			show(w, http.StatusOK, "The log-in did not succeed. The terminal says why; you can close this page.")
			return
		}
		show(w, http.StatusOK, "popsync has the answer and goes on in the terminal. You can close this page.")
	})
}

// show is a page without scripts, and without anything of the request in it.
func show(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>popsync</title></head>\n<body><h1>popsync</h1>\n<p>%s</p></body></html>\n",
		html.EscapeString(text))
}
