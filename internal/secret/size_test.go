package secret

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"
)

// A secret is taken whole or not at all: tokens are long, and half a one is a wrong password.
func TestLongSecrets(t *testing.T) {
	keyring.MockInit()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
	path := filepath.Join(t.TempDir(), "pw")
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(path))
	t.Setenv("NETRC", path+".netrc")
	for claim, c := range map[string]struct {
		size int
		ok   bool
	}{
		"64 KiB":           {maxSize, true},
		"a byte more":      {maxSize + 1, false},
		"64 bytes more":    {maxSize + 64, false},
		"four times of it": {4 * maxSize, false},
	} {
		text := strings.Repeat("a", c.size)
		for _, end := range []string{"", "\n", "\r\n", "\r\nmore"} {
			write(t, path, text+end, 0o600)
			write(t, path+".netrc", "default password "+text+end, 0o600)
			t.Setenv("POPSYNC_TEST_SECRET", text[:min(c.size, maxSize+1)])
			if err := keyring.Set("popsync", "u", text+end); err != nil {
				t.Fatal(err)
			}
			run := func(context.Context, []string) ([]byte, []byte, error) {
				return []byte((text + end)[:min(c.size+len(end), MaxOutput)]), nil, nil
			}
			for name, source := range map[string]Source{
				"Fixed": Fixed(New(text)), "Env": Env("POPSYNC_TEST_SECRET"), "File": File(path), "Credential": Credential("pw"),
				"Command": Command([]string{"pass"}, time.Minute, run), "Keyring": Keyring("popsync", "u"), "Netrc": Netrc("", "h", "u"),
			} {
				if name == "Netrc" && strings.Contains(end, "more") {
					continue // a stray word there
				}
				got, err := source(t.Context())
				if c.ok != (err == nil) || c.ok && got.Reveal() != text {
					t.Errorf("%s, %s and %q: %d bytes, %v", name, claim, end, len(got.Reveal()), err)
				}
				if !c.ok && !strings.HasSuffix(errorText(err), "the secret is longer than 64 KiB") {
					t.Errorf("%s, %s and %q: %v", name, claim, end, err)
				}
			}
		}
	}
}
