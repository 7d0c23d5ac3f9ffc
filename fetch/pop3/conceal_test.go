package pop3

import (
	"encoding/base64"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
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

// A7: wherever a secret begins in a text, one of its forms stands in the base64 of that text.
func TestEveryBase64HasAForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		octets := rapid.SliceOfN(rapid.Byte(), 0, 9)
		secret := string(rapid.SliceOfN(rapid.Byte(), 3, 40).Draw(t, "secret"))
		text := string(octets.Draw(t, "before")) + secret + string(octets.Draw(t, "behind"))
		has := func(form string) bool { return strings.Contains(encoded([]byte(text)), form) }
		if !slices.ContainsFunc(aligned(secret), has) {
			t.Fatalf("none of %q in %s", aligned(secret), encoded([]byte(text)))
		}
	})
}

// A7, W12: a password that is a word of POP3 changes nothing of what capabilities mean.
func TestPasswordThatIsACapability(t *testing.T) {
	for _, password := range []string{"stls", "S", "PLAIN", "SASL"} {
		c := &Client{c: newConn(&endless{size: 0, end: "+OK\r\nSTLS\r\nSASL PLAIN\r\n.\r\n"}, time.Second, func(string) {}), unanswered: []sent{{verb: "CAPA"}}}
		c.conceal("alice", password)
		if err := c.readCapa(); err != nil || !c.capabilities.STLS || !slices.Equal(c.capabilities.SASL, []string{"PLAIN"}) {
			t.Errorf("%s: %+v, %v", password, c.capabilities, err)
		}
		if strings.Contains(strings.Join(c.capabilities.Lines, " "), password) {
			t.Errorf("%s is shown: %q", password, c.capabilities.Lines)
		}
	}
}
