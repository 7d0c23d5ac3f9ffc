package mechanism

import (
	"strings"
	"testing"
)

// A3: 4,096 to 1,000,000 rounds are computed; for fewer and for more the refusal is our own, and comes
// before anything is computed. The limits are written out here.
func TestIterationLimits(t *testing.T) {
	for count, want := range map[string]string{
		"0":                    "the server wants an iteration count of 0; less than 4096 are unsafe",
		"4095":                 "the server wants an iteration count of 4095; less than 4096 are unsafe",
		"4096":                 "",
		"4097":                 "",
		"999999":               "",
		"1000000":              "",
		"1000001":              "the server wants an iteration count of 1000001; more than 1000000 are refused",
		"18446744073709551616": "the server wants an iteration count of 18446744073709551616; more than 1000000 are refused",
	} {
		challenge := strings.Replace(exampleFirst, "4096", count, 1)
		got := ""
		if err := checkIterations([]byte(challenge)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s rounds: %q, want %q", count, got, want)
		}
		if want == "" {
			continue
		}
		client := fixed(one(t, SCRAMSHA256, Credentials{User: "user", Secret: "pencil"}), exampleNonce)
		if said := talk(client, challenge); said[len(said)-1] != "error: "+want {
			t.Errorf("%s rounds: said %q", count, said)
		}
	}
}
