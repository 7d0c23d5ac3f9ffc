package realtest

import (
	"path/filepath"
	"strings"
	"testing"
)

// A1 of the requirements: SCRAM is bound to the TLS session where the server can do that. Cyrus can
// with TLS 1.2 only (its implicit TLS here); that after STLS is 1.3, where it still announces it.
func TestSCRAMIsBoundToTheChannel(t *testing.T) {
	i := 0
	for Products[i].Package != "cyrus" {
		i++
	}
	NeedProduct(t, Products[i])
	tr := startTrial(t, Products[i])
	tests := []struct{ auth, tls, want string }{
		{"auto", Implicit, "SCRAM-SHA-256-PLUS"},
		{"scram-sha-256", Implicit, "SCRAM-SHA-256-PLUS"},
		{"scram-sha-1", Implicit, "SCRAM-SHA-1-PLUS"},
		{"scram-sha-256", StartTLS, "SCRAM-SHA-256"},
		{"scram-sha-256", Cleartext, "SCRAM-SHA-256"},
	}
	for _, test := range tests {
		t.Run(test.auth+" over tls "+test.tls, func(t *testing.T) {
			a := tr.account(logsIn, test.tls, true)
			a.Auth = test.auth
			config := filepath.Join(t.TempDir(), "config.yaml")
			if err := WriteConfig(config, a); err != nil {
				t.Fatal(err)
			}
			child, err := tr.popsync.Start(config, "fetch", "--trace")
			if err != nil {
				t.Fatal(err)
			}
			if status := wait(t, child); status != 0 {
				t.Fatalf("status %d:\n%s", status, child.Stderr())
			}
			if !strings.Contains(child.Stderr(), "C: AUTH "+test.want+" ") {
				t.Errorf("not logged in by %s:\n%s", test.want, child.Stderr())
			}
		})
	}
}
