package oauth

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"popsync/internal/oauth/oauthtest"
	"popsync/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sourceOf is a source at p with an empty folder.
func sourceOf(t testing.TB, p *oauthtest.Provider) *Source {
	t.Helper()
	return sourceIn(p, filepath.Join(t.TempDir(), "oauth"))
}

func sourceIn(p *oauthtest.Provider, dir string) *Source {
	return NewSource(Settings{
		Account: "work", Dir: dir, ClientID: "client", Endpoints: p.Endpoints(), HTTP: p.Client(),
	})
}

// loggedIn is a source with tokens whose access token is good for left.
func loggedIn(t testing.TB, p *oauthtest.Provider, left time.Duration) (s *Source, access secret.Value) {
	t.Helper()
	s = sourceOf(t, p)
	refresh, first := p.Issue()
	put(t, s, refresh, first, left)
	return s, secret.New(first)
}

func put(t testing.TB, s *Source, refresh, access string, left time.Duration) {
	t.Helper()
	r := s.fresh()
	r.refresh, r.access = secret.New(refresh), secret.New(access)
	r.expiry, r.obtained = time.Now().Add(left).UTC().Truncate(time.Second), time.Now().UTC().Truncate(time.Second)
	if err := s.Keep(t.Context(), Tokens{r}); err != nil {
		t.Fatal(err)
	}
}

// stored is what lies on disk.
func stored(t testing.TB, s *Source) record {
	t.Helper()
	text, err := os.ReadFile(s.path())
	if err != nil {
		t.Fatal(err)
	}
	r, err := decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// want compares the kind and the text of an error; hint has to be within the hint.
func want(t testing.TB, err error, kind Kind, text, hint string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v, want an *Error", err)
	}
	if e.Kind != kind || e.Error() != text || !bytes.Contains([]byte(e.Hint), []byte(hint)) {
		t.Errorf("got  %v %q, hint %q\nwant %v %q, hint %q", e.Kind, e, e.Hint, kind, text, hint)
	}
}

func token(t testing.TB, s *Source) secret.Value {
	t.Helper()
	v, err := s.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func asked(t testing.TB, p *oauthtest.Provider, n int) {
	t.Helper()
	if got := len(p.Requests("/token")); got != n {
		t.Errorf("the token endpoint was asked %d times, want %d", got, n)
	}
}

// A screen is what a person sees; others may write at the same time.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	seen chan string // each write
}

func newScreen() *screen { return &screen{seen: make(chan string, 100)} }

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen <- string(b)
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
