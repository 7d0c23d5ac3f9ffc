package config

import (
	"strings"
	"testing"
)

// marker is a password that is neither a key nor a name, so no error has a reason to repeat it.
const marker = "Hunter2!$9"

// C1, A7: whatever is in the file, nothing panics and no error repeats the password. marker
// stands between what the fuzzer makes up.
func FuzzLoad(f *testing.F) {
	for _, s := range [][2]string{
		{"accounts:\n  - name: work\n    host: h\n    username: u\n    deliver: {maildir: /m}\n    password: ", "\n"},
		{"accounts:\n  - password: \"", "\"\n    port: 0110\n"},
		{"password: ", "\n"},
		{"a: *", ""},
		{"a: &", " x"},
		{"a: !", " x"},
		{"? ", ": x"},
		{"", ": x"},
		{"<<: {", "}"},
		{"<<: [{[a]: ", "}]"},
		{"a: [", ""},
		{"a: 'x", ""},
		{"port: ", ""},
		{"interval: ", ""},
		{"%YAML ", "\n---\n"},
		{"---\n", "\n---\n"},
		{"accounts: [{host: ", "}]"},
		{"accounts: [{name: ", "}]"},
		{"accounts: [{tls: ", "}]"},
		{"accounts: [{mda: ", ", deliver: {mda: x}}]"},
		{"accounts: [{password: a, deliver: {mode: ", "}}]"},
		{"accounts: [{password_file: ", "}, {password_command: [[x]]}]"},
		{"accounts: [{proxy: \"socks5://u:", "@h:1\"}]"},
		{"accounts: [{proxy: \"http://", "@h#\"}]"},
		{"accounts: [{oauth2: {client_secret: ", ", tenant: a}}]"},
		{"accounts: [{oauth2: {token_url: \"https://u:", "@h/x\", scopes: [a, \"\\t\"]}}]"},
		{"accounts: [{oauth2: {tenant: ", "}}]"},
		{"accounts: [{oauth2: {scopes: ", "}}]"},
		{"accounts: [{connect_command: ", "}, {max_message_size: 0B}]"},
		{"accounts:\n- deliver:\n\t", ": x"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		d := &decoder{report: newReport("c.yaml"), base: base{"/etc", func(string) string { return "" }}}
		d.config([]byte(before + marker + after))
		for _, e := range append(d.errors, d.warnings...) {
			if text := e.Error(); strings.Contains(text, marker[:7]) || strings.Contains(text, "\n") {
				t.Errorf("an error shows %q", text)
			}
		}
	})
}
