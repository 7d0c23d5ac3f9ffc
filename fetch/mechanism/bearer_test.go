package mechanism

import "testing"

// A8: a server may refuse before it has asked for the token, and with octets that JSON does not
// allow. The token stays here, and the refusal counts as one.
func TestRefusedBeforeTheTokenIsSent(t *testing.T) {
	for _, name := range []Name{XOAUTH2, OAUTHBEARER} {
		client := one(t, name, Credentials{User: "a", Secret: "t0ken"})
		said := talk(client, "{\"status\":\"400\",\"scope\":\"mail\x1b[2J\"}")
		if len(said) != 2 || len(said[1]) > 1 || client.(*bearer).Detail() != "status 400, scope mail [2J" {
			t.Errorf("%s says %q, detail %q", name, said, client.(*bearer).Detail())
		}
		client = one(t, name, Credentials{User: "a", Secret: "t0ken"})
		if _, err := client.Next([]byte("who are you?")); err == nil {
			t.Errorf("%s answers any challenge", name)
		}
	}
}
