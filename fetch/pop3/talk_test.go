package pop3

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/google/go-cmp/cmp"

	"popsync/fetch/mechanism"
)

// TestTalks plays testdata/*.pop3: conversations as they stand in the RFCs.
//
//	> command    what the client is told to do
//	= result     what it answers
//	C: line      what it has to send
//	S: line      what the server sends; without its CRLF where it ends in \
//	S! cut       the server closes the connection
//	S! wait 1s   the server waits; time is virtual
//	# text       says which requirement a talk is about
//
// C: lines are expected in order; the server sends what follows one once it has arrived.
func TestTalks(t *testing.T) {
	files, err := filepath.Glob("testdata/*.pop3")
	if err != nil || len(files) == 0 {
		t.Fatalf("no talks: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".pop3"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) { play(t, string(text)) })
		})
	}
}

func play(t *testing.T, text string) {
	var commands, want, talk []string
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		switch {
		case strings.HasPrefix(l, "> "):
			commands = append(commands, l[2:])
		case strings.HasPrefix(l, "= "):
			want = append(want, l[2:])
		case l != "" && !strings.HasPrefix(l, "#"):
			talk = append(talk, l)
		}
	}
	ours, theirs := net.Pipe()
	served := make(chan []string)
	go func() { served <- serve(theirs, talk) }()
	got := obey(t.Context(), ours, commands)
	ours.Close()
	got = append(got, <-served...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

// serve plays the server's part and returns what the client did otherwise than expected.
func serve(conn net.Conn, talk []string) (wrong []string) {
	defer conn.Close()
	lines := make(chan string)
	go func() { // a client that writes while the server writes must not wait for it
		defer close(lines)
		r := bufio.NewReader(conn)
		for {
			l, err := r.ReadString('\n')
			if err != nil {
				return
			}
			lines <- strings.TrimSuffix(l, "\r\n")
		}
	}()
	defer func() {
		conn.Close()
		for l := range lines {
			wrong = append(wrong, "unexpected C: "+l)
		}
	}()
	for _, step := range talk {
		kind, arg := step[:2], strings.TrimPrefix(step[2:], " ")
		switch kind {
		case "C:":
			if l := <-lines; l != arg {
				return append(wrong, fmt.Sprintf("C: %s, not C: %s", l, arg))
			}
		case "S:":
			s, open := strings.CutSuffix(arg, `\`)
			s, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
			if err != nil {
				return append(wrong, "talk: "+step)
			}
			if !open {
				s += "\r\n"
			}
			io.WriteString(conn, s)
		case "S!":
			if d, err := time.ParseDuration(strings.TrimPrefix(arg, "wait ")); err == nil {
				time.Sleep(d)
				continue
			}
			return wrong
		}
	}
	return wrong
}

// obey does as commands say and returns what came of it.
func obey(ctx context.Context, conn net.Conn, commands []string) (got []string) {
	say := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
	c, err := NewClient(ctx, conn, Options{Timeout: 10 * time.Second})
	if err != nil {
		return []string{describe(err)}
	}
	var listing Listing
	for _, command := range commands {
		verb, args, _ := strings.Cut(command, " ")
		words := strings.Fields(args)
		var err error
		switch verb {
		case "capa":
			var caps Capabilities
			caps, err = c.Capa(ctx)
			say("%d capabilities, pipelining %v, STLS %v, SASL %q, login-delay %v", len(caps.Lines), caps.Pipelining, caps.STLS, caps.SASL, caps.LoginDelay)
		case "login":
			err = c.Login(ctx, words[0], strings.Join(words[1:], " "))
		case "capa-more":
			var caps Capabilities
			caps, err = c.Capa(ctx)
			say("TOP %v, UIDL %v, USER %v, RESP-CODES %v, AUTH-RESP-CODE %v, UTF8 %v, LANG %v", caps.TOP, caps.UIDL, caps.User, caps.RespCodes, caps.AuthRespCode, caps.UTF8, caps.Lang)
			say("EXPIRE %+v, IMPLEMENTATION %q", caps.Expire, caps.Implementation)
		case "stamp":
			say("stamp %q", c.Stamp())
		case "apop":
			err = c.APOP(ctx, words[0], words[1])
		case "utf8":
			err = c.UTF8(ctx)
		case "auth":
			err = c.Auth(ctx, client(words[0], words[1], words[2]))
		case "stls":
			err = c.STLS(ctx, nil)
		case "look":
			listing, err = c.Look(ctx, Want{Capa: slices.Contains(words, "capa"), Stat: slices.Contains(words, "stat"), List: slices.Contains(words, "list")})
			for _, m := range listing.Messages {
				say("%d %d %q", m.Number, m.Size, m.UID)
			}
			say("count %d, odd %d, no UID %d, complete %v", listing.Count, listing.Odd, listing.NoUID, listing.Complete())
		case "sizes":
			err = c.AddSizes(ctx, &listing)
			for _, m := range listing.Messages {
				say("%d %d %q", m.Number, m.Size, m.UID)
			}
		case "retr":
			err = c.Retr(ctx, slices.Values(numbered(words)), func(m Message, b *Body, refusal *ResponseError) error {
				if refusal != nil {
					say("%d refused: %s", m.Number, describe(refusal))
					return nil
				}
				text, err := io.ReadAll(b)
				if err != nil {
					say("%d partial %q", m.Number, text)
					return err
				}
				say("%d %q", m.Number, text)
				return nil
			})
		case "top":
			err = c.Top(ctx, slices.Values(numbered(words)), func(m Message, header []byte, refusal *ResponseError) error {
				if refusal != nil {
					say("%d refused: %s", m.Number, describe(refusal))
					return nil
				}
				say("%d %q", m.Number, header)
				return nil
			})
		case "dele-quit":
			err = c.DeleQuit(ctx, numbered(words), func(m Message, refusal *ResponseError) {
				say("%d stays: %s", m.Number, describe(refusal))
			})
		case "quit":
			err = c.Quit(ctx)
		default:
			say("no such command: %s", verb)
		}
		if err != nil {
			say("%s", describe(err))
		}
	}
	if c.LostCommands() {
		say("lost commands")
	}
	return got
}

// client is a mechanism for user at pop.example.org:995; secret may be "LONG", a token of 1,000 octets.
func client(name, user, secret string) sasl.Client {
	if secret == "LONG" {
		secret = strings.Repeat("t0ken", 200)
	}
	switch name {
	case "never-content":
		return &scripted{name: "NEVER-CONTENT"}
	case "unproven":
		return unproven{&scripted{name: "UNPROVEN"}}
	case "instead":
		return instead{&scripted{name: "INSTEAD-PLUS"}}
	}
	want := mechanism.Name(name)
	offer := mechanism.Offer{SASL: []string{"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "EXTERNAL", "SCRAM-SHA-256"}}
	choice, err := mechanism.Choose(want, offer, mechanism.Credentials{
		User: user, Secret: secret, Host: "pop.example.org", Port: 995,
		Token: want == mechanism.XOAUTH2 || want == mechanism.OAUTHBEARER,
	})
	if err != nil {
		panic(err)
	}
	return choice.Client()
}

// A scripted mechanism answers "a" to everything.
type scripted struct{ name string }

func (s *scripted) Start() (string, []byte, error) { return s.name, nil, nil }
func (*scripted) Next([]byte) ([]byte, error)      { return []byte("a"), nil }

// An unproven mechanism is not content with the server.
type unproven struct{ sasl.Client }

func (unproven) Finish(string) error {
	return errors.New("the server did not prove that it knows the password")
}

// An instead mechanism has another form.
type instead struct{ sasl.Client }

func (instead) Instead(string) sasl.Client { return instead{&scripted{name: "INSTEAD"}} }

func numbered(words []string) []Message {
	var msgs []Message
	for _, w := range words {
		n, _ := strconv.Atoi(w)
		msgs = append(msgs, Message{Number: int32(n), Size: UnknownSize})
	}
	return msgs
}

func describe(err error) string {
	kind := "error"
	switch {
	case errors.Is(err, ErrProtocol):
		kind = "protocol"
	case errors.Is(err, ErrTimeout):
		kind = "timeout"
	case errors.Is(err, ErrClosed):
		kind = "closed"
	}
	if r, ok := errors.AsType[*ResponseError](err); ok {
		kind = "-ERR"
		if r.Code != "" {
			kind += " " + r.Code
		}
		if r.Mechanism {
			kind += ", the mechanism"
		}
	}
	return kind + ": " + strconv.QuoteToASCII(err.Error())
}
