package pop3

import (
	"encoding/base64"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A7: a server that repeats the password gets it into no error and no trace, in clear or base64,
// whole or cut, and a password of one letter hides nothing of what a reply means.
func TestRepeatedPasswordIsHidden(t *testing.T) {
	const password = "s3cret-W0rd"
	plain := base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + password))
	for name, c := range map[string]struct{ password, reply string }{
		"in a refusal":        {password, "-ERR no such command: PASS " + password + "!"},
		"in base64":           {password, "-ERR " + base64.StdEncoding.EncodeToString([]byte(password))},
		"as PLAIN sends it":   {password, "-ERR " + plain},
		"in nonsense":         {password, "HTTP/1.1 400 " + password},
		"at the cut":          {password, "-ERR " + strings.Repeat("x", keepStatus-len("-ERR ")-5) + password},
		"of one letter":       {"R", "-ERR wRong"},
		"that is a status":    {"+OK", "-ERR +OK is no password"},
		"in a capability":     {password, "+OK\r\n+OK\r\nIMPLEMENTATION " + password + "\r\n."},
		"in a friendly reply": {password, "+OK welcome, your password is " + password},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				talk := []string{"S: +OK", "C: USER alice", "S: +OK", "C: PASS " + c.password, "S: " + strings.ReplaceAll(c.reply, "\r\n", "\\r\\n")}
				go serve(theirs, talk)
				var shown strings.Builder
				client, err := NewClient(t.Context(), ours, Options{Timeout: time.Second, Trace: func(l string) {
					if !strings.HasPrefix(l, "C: USER") {
						shown.WriteString(l + "\n")
					}
				}})
				if err != nil {
					t.Fatal(err)
				}
				defer ours.Close()
				err = client.Login(t.Context(), "alice", c.password)
				if strings.HasPrefix(c.reply, "-ERR") != isRefusal(err) {
					t.Errorf("%v", err)
				}
				if err != nil {
					shown.WriteString(err.Error())
				}
				if client.send("CAPA", "", "CAPA") == nil && client.readCapa() == nil {
					shown.WriteString(strings.Join(client.Capabilities().Lines, "\n"))
				}
				text := strings.NewReplacer("+OK", "", "-ERR", "", "C: PASS ****", "").Replace(shown.String())
				for _, secret := range []string{c.password, plain, base64.StdEncoding.EncodeToString([]byte(c.password)), c.password[:min(5, len(c.password))]} {
					if strings.Contains(text, secret) && secret != "+OK" {
						t.Errorf("%q is shown:\n%s", secret, shown.String())
					}
				}
			})
		})
	}
}
