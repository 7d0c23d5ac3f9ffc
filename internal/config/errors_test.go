package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// One key of an account at a time. The numbers are those of the requirements.
func TestErrorsOfAnAccount(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  string
	}{
		{
			"C1: a misspelt key",
			[]string{"tsl: none"},
			`popsync.yaml:7:5: accounts[0].tsl: unknown key; did you mean "tls"?`,
		},
		{
			"C1: a misspelt key is not reported as missing as well",
			[]string{"usrname: alice"},
			`popsync.yaml:7:5: accounts[0].usrname: unknown key; did you mean "username"?`,
		},
		{
			"C1: another program's word",
			[]string{"user: alice"},
			`popsync.yaml:7:5: accounts[0].user: unknown key; did you mean "username"?`,
		},
		{
			"C1: a key with dashes",
			[]string{"max-session: 5m"},
			`popsync.yaml:7:5: accounts[0].max-session: unknown key; did you mean "max_session"?`,
		},
		{
			"C1: a key in capitals",
			[]string{"Port: 995"},
			`popsync.yaml:7:5: accounts[0].Port: unknown key; did you mean "port"?`,
		},
		{
			"C1: a key of another place",
			[]string{"maildir: /m"},
			"popsync.yaml:7:5: accounts[0].maildir: unknown key here; it belongs in deliver",
		},
		{
			"C1: a key of the top level",
			[]string{"max_parallel: 4"},
			"popsync.yaml:7:5: accounts[0].max_parallel: unknown key here; it belongs at the top level",
		},
		{
			"C1: nothing like a key",
			[]string{"colour: blue"},
			"popsync.yaml:7:5: accounts[0].colour: unknown key",
		},
		{
			"C1: what may be a password is not repeated",
			[]string{`"hunter2!": x`},
			"popsync.yaml:7:5: accounts[0]: found something that is no key",
		},
		{
			"C1: a key twice",
			[]string{"port: 995", "port: 995"},
			"popsync.yaml:8:5: accounts[0].port: is given twice; the first is in line 7",
		},
		{
			"C1: a list where text is expected",
			[]string{"host: [a, b]"},
			"popsync.yaml:6:11: accounts[0].host: found a list, expected a host name, an IP address or unix:/path",
		},
		{
			"C1: text where a number is expected",
			[]string{"port: pop3s"},
			"popsync.yaml:7:11: accounts[0].port: found text, expected a whole number from 1 to 65535",
		},
		{
			"C1: text where keys are expected",
			[]string{"deliver: /m"},
			"popsync.yaml:6:14: accounts[0].deliver: found text, expected keys with values: maildir, folder, mda …",
		},
		{
			"C1: a misspelt word",
			[]string{"tls: implict"},
			`popsync.yaml:7:10: accounts[0].tls: is none of implicit, starttls and none; did you mean "implicit"?`,
		},
		{
			"C1: no such word",
			[]string{"tls: always"},
			"popsync.yaml:7:10: accounts[0].tls: is none of implicit, starttls and none",
		},
		{
			"C1: port out of range",
			[]string{"port: 65536"},
			"popsync.yaml:7:11: accounts[0].port: is out of range; expected a whole number from 1 to 65535",
		},
		{
			"C1: port zero",
			[]string{"port: 0"},
			"popsync.yaml:7:11: accounts[0].port: is out of range; expected a whole number from 1 to 65535",
		},
		{
			"C1: negative port",
			[]string{"port: -1"},
			"popsync.yaml:7:11: accounts[0].port: is out of range; expected a whole number from 1 to 65535",
		},
		{
			"C1: port with a fraction",
			[]string{"port: 995.0"},
			"popsync.yaml:7:11: accounts[0].port: found a number, expected a whole number from 1 to 65535",
		},
		{
			"C1: port in quotes",
			[]string{`port: "995"`},
			"popsync.yaml:7:11: accounts[0].port: is a number in quotes; write it without them",
		},
		{
			"C1: port with an underscore",
			[]string{"port: 9_95"},
			"popsync.yaml:7:11: accounts[0].port: holds a _; write digits only",
		},
		{
			"C2: octal number",
			[]string{"port: 0110"},
			"popsync.yaml:7:11: accounts[0].port: begins with 0, which makes it octal or hexadecimal in YAML; write it as a decimal number",
		},
		{
			"C2: hexadecimal number",
			[]string{"port: 0x10"},
			"popsync.yaml:7:11: accounts[0].port: begins with 0, which makes it octal or hexadecimal in YAML; write it as a decimal number",
		},
		{
			"C2: yes is text",
			[]string{"enabled: yes"},
			"popsync.yaml:7:14: accounts[0].enabled: is yes, no, on or off, which YAML takes for text; write true or false",
		},
		{
			"C2: off is text",
			[]string{"keep: off"},
			"popsync.yaml:7:11: accounts[0].keep: is yes, no, on or off, which YAML takes for text; write true or false",
		},
		{
			"C2: false in quotes",
			[]string{`enabled: "false"`},
			"popsync.yaml:7:14: accounts[0].enabled: is text in quotes; write true or false without them",
		},
		{
			"C2: a number is no boolean",
			[]string{"enabled: 1"},
			"popsync.yaml:7:14: accounts[0].enabled: found a number, expected true or false",
		},
		{
			"C2: a password that is a comment",
			[]string{"password: #abc"},
			"popsync.yaml:6:5: accounts[0].password: is empty; expected a password; quote a value that begins with #",
		},
		{
			"C2: a password that is a tag",
			[]string{"password: !abc"},
			`popsync.yaml:6:15: accounts[0].password: is a tag (!), which popsync does not understand; quote a value that begins with "!"`,
		},
		{
			"C2: a password that is a tag, and more",
			[]string{"password: ! abc"},
			`popsync.yaml:6:15: accounts[0].password: is a tag (!), which popsync does not understand; quote a value that begins with "!"`,
		},
		{
			"C2: a password that is an anchor",
			[]string{"password: &abc"},
			`popsync.yaml:6:5: accounts[0].password: is an anchor (&), which popsync does not understand; quote a value that begins with "&"`,
		},
		{
			"C2: a password that is an alias",
			[]string{"password: *abc"},
			"popsync.yaml:6: is not YAML: a value that begins with * has to be quoted",
		},
		{
			"C2: a password with a comment in it",
			[]string{"password: a #b"},
			`popsync.yaml:6:15: accounts[0].password: ends at the #, which begins a comment; quote the password, or write the comment as "# …"`,
		},
		{
			"C2: a password that is nothing",
			[]string{"password: ~"},
			"popsync.yaml:6:5: accounts[0].password: is empty; expected a password",
		},
		{
			"C2: an empty password",
			[]string{`password: ""`},
			"popsync.yaml:6:15: accounts[0].password: is empty",
		},
		{
			"C2: an explicit type",
			[]string{`port: !!int "995"`},
			`popsync.yaml:7:11: accounts[0].port: is a tag (!), which popsync does not understand; quote a value that begins with "!"`,
		},
		{
			"C2: a password that is a list",
			[]string{"password: [a, b]"},
			"popsync.yaml:6:15: accounts[0].password: found a list, expected a password",
		},
		{
			"C2: a password that is a mapping",
			[]string{"password: {a, b}"},
			"popsync.yaml:6:15: accounts[0].password: found keys with values, expected a password",
		},
		{
			"C2: a password with a colon",
			[]string{"password: hunter2: x"},
			`popsync.yaml:6: is not YAML: a value that holds ": " has to be quoted; or the indentation does not fit the lines above`,
		},
		{
			"C2: a password that begins with @",
			[]string{"password: @hunter2"},
			"popsync.yaml:6: is not YAML: a value that begins with @, ` or % has to be quoted",
		},
		{
			"C2: a password that begins with %",
			[]string{"password: %hunter2"},
			"popsync.yaml:6: is not YAML: a value that begins with @, ` or % has to be quoted",
		},
		{
			"C2: a password that begins with ]",
			[]string{"password: ]hunter2"},
			"popsync.yaml:6: is not YAML: a value that begins with ], } or , has to be quoted",
		},
		{
			"C2: a quote that is not closed",
			[]string{`password: "hunter2`},
			"popsync.yaml:6: is not YAML: a quote is not closed",
		},
		{
			"C2: a backslash in double quotes",
			[]string{`password: "hunter2\q"`},
			`popsync.yaml:6: is not YAML: in "double quotes" a backslash begins an escape; use 'single quotes' instead`,
		},
		{
			"C2: a brace that is not closed",
			[]string{"password: {hunter2"},
			"popsync.yaml:6: is not YAML: a [ or { is not closed; or a value with such a character has to be quoted",
		},
		{
			"C2: quoted in part",
			[]string{"password: 'hunter2' x"},
			"popsync.yaml:6: is not YAML: the indentation does not fit the lines above; or a value is quoted in part only",
		},
		{
			"C2: a tab indents",
			[]string{"deliver:", "\tmaildir: /m"},
			"popsync.yaml:7: a tab cannot indent in YAML; use blanks",
		},
		{
			"C2: a merge key",
			[]string{"<<: {port: 1}"},
			"popsync.yaml:7:5: accounts[0]: merge keys (<<) are not understood; what several accounts share goes into defaults",
		},
		{
			"C2: a mapping as a key",
			[]string{"{a: b}: c"},
			"popsync.yaml:7:5: accounts[0]: found keys with values, expected a key",
		},
		{
			"C2: an empty element",
			[]string{"deliver:", "  mda:", "    - /usr/bin/procmail", "    -"},
			`popsync.yaml:7:7: accounts[0].deliver.mda: element 2 is empty; write "" if an empty text is meant, and quote what begins with #`,
		},
		{
			"an empty user name",
			[]string{`username: ""`},
			"popsync.yaml:6:15: accounts[0].username: is empty",
		},
		{
			"a name with a blank",
			[]string{"name: my work"},
			"popsync.yaml:6:11: accounts[0].name: may hold letters (a-z, A-Z), digits and . _ - only",
		},
		{
			"a name that is a path",
			[]string{"name: .."},
			`popsync.yaml:6:11: accounts[0].name: must not be "." or ".." or begin with "-"`,
		},
		{
			"two passwords",
			[]string{"password_file: /pw", "password: secret"},
			"popsync.yaml:6:20: accounts[0].password_file: contradicts password in line 7; take one of them out",
		},
		{
			"three passwords",
			[]string{"password_file: /pw", "password: secret", "password_env: PW"},
			"popsync.yaml:6:20: accounts[0].password_file: contradicts password in line 7; take one of them out\n" +
				"popsync.yaml:8:19: accounts[0].password_env: contradicts password in line 7; take one of them out",
		},
		{
			"a command without a program",
			[]string{"password_command: []"},
			"popsync.yaml:6:23: accounts[0].password_command: names no program",
		},
		{
			"a variable with a dollar",
			[]string{"password_env: $PW"},
			"popsync.yaml:6:19: accounts[0].password_env: is no name of an environment variable; write it without $, such as WORK_PASSWORD",
		},
		{
			"host is a URL",
			[]string{"host: pop3s://pop.example.org"},
			"popsync.yaml:6:11: accounts[0].host: is a URL; write the host's name alone, and port and tls as keys of their own",
		},
		{
			"host and port",
			[]string{"host: pop.example.org:995"},
			"popsync.yaml:6:11: accounts[0].host: holds a colon; write host and port apart: host: pop.example.org, port: 995",
		},
		{
			"host with a blank",
			[]string{"host: pop.example.org 995"},
			"popsync.yaml:6:11: accounts[0].host: holds a blank or a control character",
		},
		{
			"host with a user",
			[]string{"host: alice@pop.example.org"},
			"popsync.yaml:6:11: accounts[0].host: holds an @; write the server's name here and the user's name in username",
		},
		{
			"host with a slash",
			[]string{"host: pop.example.org/"},
			"popsync.yaml:6:11: accounts[0].host: is no host name; write one such as pop.example.org",
		},
		{
			"host without a label",
			[]string{"host: pop..example.org"},
			"popsync.yaml:6:11: accounts[0].host: is no host name; write one such as pop.example.org",
		},
		{
			"an empty host",
			[]string{`host: ""`},
			"popsync.yaml:6:11: accounts[0].host: is empty",
		},
		{
			"a socket that is relative",
			[]string{"host: unix:pop.sock", "tls: none"},
			"popsync.yaml:6:11: accounts[0].host: needs an absolute path behind unix:, such as unix:/run/pop3.sock",
		},
		{
			"a socket with a port",
			[]string{"host: unix:/pop.sock", "tls: none", "port: 110"},
			"popsync.yaml:8:11: accounts[0].port: contradicts the host in line 6; a socket has no port",
		},
		{
			"a socket with TLS and no name",
			[]string{"host: unix:/pop.sock"},
			"popsync.yaml:6:11: accounts[0].host: has no name that a certificate could bear; write tls: none, or tls_server_name",
		},
		{
			"TLS without TLS",
			[]string{"host: localhost", "tls: none", "tls_ca_file: ca.pem", "tls_server_name: a", `tls_min_version: "1.3"`},
			"popsync.yaml:8:18: accounts[0].tls_ca_file: contradicts tls: none in line 7; without TLS it has no meaning\n" +
				"popsync.yaml:9:22: accounts[0].tls_server_name: contradicts tls: none in line 7; without TLS it has no meaning\n" +
				"popsync.yaml:10:22: accounts[0].tls_min_version: contradicts tls: none in line 7; without TLS it has no meaning",
		},
		{
			"T7: clear text to an address",
			[]string{"host: 192.0.2.1", "tls: none", "allow_cleartext: false"},
			"popsync.yaml:7:10: accounts[0].tls: none would send password and mail in clear over the network; write implicit or starttls, or allow_cleartext: true if that is meant",
		},
		{
			"TLS 1.1",
			[]string{`tls_min_version: "1.1"`},
			"popsync.yaml:7:22: accounts[0].tls_min_version: is none of 1.2 and 1.3",
		},
		{
			"C5: a duration without a unit",
			[]string{"interval: 300"},
			"popsync.yaml:7:15: accounts[0].interval: has no unit; write 300s or 5m",
		},
		{
			"C5: a duration with a strange unit",
			[]string{"interval: 5 minutes"},
			"popsync.yaml:7:15: accounts[0].interval: is no duration; its units are s, m, h and d, as in 90s, 5m, 1h30m or 14d",
		},
		{
			"C5: a duration with a fraction",
			[]string{"timeout: 1.5h"},
			"popsync.yaml:7:14: accounts[0].timeout: is no duration; its units are s, m, h and d, as in 90s, 5m, 1h30m or 14d",
		},
		{
			"C5: a duration with units in disorder",
			[]string{"timeout: 5m1h"},
			"popsync.yaml:7:14: accounts[0].timeout: is no duration; its units are s, m, h and d, as in 90s, 5m, 1h30m or 14d",
		},
		{
			"C5: too short an interval",
			[]string{"interval: 0s"},
			"popsync.yaml:7:15: accounts[0].interval: is shorter than 1s",
		},
		{
			"C5: too short a timeout",
			[]string{"timeout: 0s"},
			"popsync.yaml:7:14: accounts[0].timeout: is shorter than 1s",
		},
		{
			"C5: too long a duration",
			[]string{"timeout: 106752d"},
			"popsync.yaml:7:14: accounts[0].timeout: is longer than popsync can count (292 years)",
		},
		{
			"C5: a size without a unit",
			[]string{"max_message_size: 50"},
			"popsync.yaml:7:23: accounts[0].max_message_size: has no unit; write 50MB or 64KiB",
		},
		{
			"C5: a size in bits",
			[]string{"max_message_size: 50Mb"},
			"popsync.yaml:7:23: accounts[0].max_message_size: is no size; write one such as 50MB or 64KiB",
		},
		{
			"a size that no message has",
			[]string{"max_message_size: 0MB"},
			"popsync.yaml:7:23: accounts[0].max_message_size: would leave every message on the server; leave the key out for no limit",
		},
		{
			"fewer messages than none",
			[]string{"max_messages: -1"},
			"popsync.yaml:7:19: accounts[0].max_messages: is out of range; expected a whole number from 0 to 1000000",
		},
		{
			"T6: a certificate without its key",
			[]string{"tls_client_cert: a.pem"},
			"popsync.yaml:7:22: accounts[0].tls_client_cert: needs tls_client_key too; one file may hold both certificate and key",
		},
		{
			"T6: a key without its certificate",
			[]string{"tls_client_key: a.pem"},
			"popsync.yaml:7:21: accounts[0].tls_client_key: needs tls_client_cert too; one file may hold both certificate and key",
		},
		{
			"T6: a certificate without TLS",
			[]string{"host: localhost", "tls: none", "tls_client_cert: a.pem", "tls_client_key: a.pem"},
			"popsync.yaml:8:22: accounts[0].tls_client_cert: contradicts tls: none in line 7; without TLS it has no meaning\n" +
				"popsync.yaml:9:21: accounts[0].tls_client_key: contradicts tls: none in line 7; without TLS it has no meaning",
		},
		{
			"C5: an unset variable",
			[]string{"password_file: ${SECRETS}/pw"},
			"popsync.yaml:6:20: accounts[0].password_file: needs the variable SECRETS, which is not set",
		},
		{
			"C5: an empty variable",
			[]string{"password_file: $EMPTY/pw"},
			"popsync.yaml:6:20: accounts[0].password_file: needs the variable EMPTY, which is not set",
		},
		{
			"C5: a dollar without a name",
			[]string{"password_file: /pw$"},
			"popsync.yaml:6:20: accounts[0].password_file: holds a $ that begins no ${VARIABLE}; write $$ for a dollar sign",
		},
		{
			"C5: a brace that is not closed",
			[]string{`password_file: "${MAIL"`},
			"popsync.yaml:6:20: accounts[0].password_file: holds a $ that begins no ${VARIABLE}; write $$ for a dollar sign",
		},
		{
			"C5: another user's home",
			[]string{"password_file: ~bob/pw"},
			"popsync.yaml:6:20: accounts[0].password_file: begins with ~ and a name; only ~ alone and ~/ are understood",
		},
		{
			"an empty path",
			[]string{`tls_ca_file: ""`},
			"popsync.yaml:7:18: accounts[0].tls_ca_file: is empty; write a path",
		},
		{
			"deliver is empty",
			[]string{"deliver:"},
			"popsync.yaml:6:5: accounts[0].deliver: has no target; write maildir: and a path, or mda: and a program",
		},
		{
			"deliver has no target",
			[]string{"deliver: {mode: 0600}"},
			"popsync.yaml:6:14: accounts[0].deliver: has no target; write maildir: and a path, or mda: and a program",
		},
		{
			"two targets",
			[]string{"deliver: {mda: [/bin/x], maildir: /m}"},
			"popsync.yaml:6:20: accounts[0].deliver.mda: contradicts maildir in line 6; take one of them out",
		},
		{
			"a folder of an MDA",
			[]string{"deliver: {mda: [/bin/x], folder: Lists}"},
			"popsync.yaml:6:38: accounts[0].deliver.folder: is a folder of a Maildir; it has no meaning for an MDA",
		},
		{
			"an MDA for a shell",
			[]string{"deliver: {mda: /usr/bin/procmail -d alice}"},
			"popsync.yaml:6:20: accounts[0].deliver.mda: is one text; write a list, [/path/to/program, argument]: no shell takes it apart",
		},
		{
			"an MDA with a list in its arguments",
			[]string{"deliver: {mda: [/bin/x, [y]]}"},
			"popsync.yaml:6:20: accounts[0].deliver.mda: element 2: found a list, expected text",
		},
		{
			"a folder outside",
			[]string{"deliver: {maildir: /m, folder: ../x}"},
			"popsync.yaml:6:36: accounts[0].deliver.folder: must not hold a slash or a line end; a folder in a folder is written Lists.go",
		},
		{
			"a folder without a name",
			[]string{"deliver: {maildir: /m, folder: .x}"},
			"popsync.yaml:6:36: accounts[0].deliver.folder: has a part without a name; write it without dots around, such as Lists.go",
		},
		{
			"a mode that lets all write",
			[]string{"deliver: {maildir: /m, mode: 0666}"},
			"popsync.yaml:6:34: accounts[0].deliver.mode: lets everybody change mail; write 0600, or 0640 for a group that may read",
		},
		{
			"a mode that locks the owner out",
			[]string{"deliver: {maildir: /m, mode: 0400}"},
			"popsync.yaml:6:34: accounts[0].deliver.mode: locks the owner out; write 0600, or 0640 for a group that may read",
		},
		{
			"a mode that makes mail a program",
			[]string{"deliver: {maildir: /m, mode: 0700}"},
			"popsync.yaml:6:34: accounts[0].deliver.mode: makes mail executable; write 0600, or 0640 for a group that may read",
		},
		{
			"a mode that is not octal",
			[]string{"deliver: {maildir: /m, mode: 0680}"},
			"popsync.yaml:6:34: accounts[0].deliver.mode: is no mode; write three octal digits behind a 0, such as 0600",
		},
		{
			"a mode in letters",
			[]string{"deliver: {maildir: /m, mode: rw}"},
			"popsync.yaml:6:34: accounts[0].deliver.mode: is no mode; write three octal digits behind a 0, such as 0600",
		},
		{
			"A1: no kind of log-in",
			[]string{"auth: kerberos"},
			"popsync.yaml:7:11: accounts[0].auth: is none of auto, user, apop, plain, login, cram-md5, scram-sha-1, scram-sha-256, xoauth2, oauthbearer and external",
		},
		{
			"later: delete after some days",
			[]string{"keep: 14d"},
			"popsync.yaml:7:11: accounts[0].keep: 14d is not available in this version of popsync; only true and false are",
		},
		{
			"later: delete when deleted",
			[]string{"keep: until_deleted"},
			"popsync.yaml:7:11: accounts[0].keep: until_deleted is not available in this version of popsync; only true and false are",
		},
		{
			"no way to keep",
			[]string{"keep: forever"},
			"popsync.yaml:7:11: accounts[0].keep: is none of true, false, until_deleted and durations such as 14d",
		},
		{
			"days to keep without a unit",
			[]string{"keep: 14"},
			"popsync.yaml:7:11: accounts[0].keep: has no unit; write 14d for 14 days",
		},
		{
			"later: backlog",
			[]string{"backlog: none"},
			"popsync.yaml:7:14: accounts[0].backlog: none is not available in this version of popsync; only all is",
		},
		{
			"later: backlog by age",
			[]string{"backlog: 30d"},
			"popsync.yaml:7:14: accounts[0].backlog: 30d is not available in this version of popsync; only all is",
		},
		{
			"no backlog",
			[]string{"backlog: some"},
			"popsync.yaml:7:14: accounts[0].backlog: is none of all, none and durations such as 30d",
		},
		{
			"no pipelining",
			[]string{"pipelining: nevr"},
			`popsync.yaml:7:17: accounts[0].pipelining: is none of auto, always and never; did you mean "never"?`,
		},
		{
			"a trace header of words",
			[]string{"deliver: {maildir: /m, trace_header: 'X-Trace: yes'}"},
			"popsync.yaml:6:42: accounts[0].deliver.trace_header: found text, expected true or false",
		},
		{
			"a short fingerprint",
			[]string{"tls_fingerprint: sha256:00"},
			"popsync.yaml:7:22: accounts[0].tls_fingerprint: is no fingerprint; write sha256: and the 64 hex digits of the certificate's SHA-256",
		},
		{
			"no attempts",
			[]string{"deliver: {mda: [/bin/x], max_attempts: 0}"},
			"popsync.yaml:6:44: accounts[0].deliver.max_attempts: is out of range; expected a whole number from 1 to 65535",
		},
		{
			"too many attempts",
			[]string{"deliver: {mda: [/bin/x], max_attempts: 1000001}"},
			"popsync.yaml:6:44: accounts[0].deliver.max_attempts: is out of range; expected a whole number from 1 to 65535",
		},
		{
			"no quarantine",
			[]string{`deliver: {mda: [/bin/x], quarantine: ""}`},
			"popsync.yaml:6:42: accounts[0].deliver.quarantine: is empty; write a path",
		},
		{
			"C2: an alias in a list",
			[]string{"password_command: [&a pass, *a]"},
			`popsync.yaml:6:24: accounts[0].password_command: is an anchor (&), which popsync does not understand; quote a value that begins with "&"`,
		},
		{
			"C2: a date is no number",
			[]string{"port: 2026-11-24"},
			"popsync.yaml:7:11: accounts[0].port: found a date, expected a whole number from 1 to 65535",
		},
		{
			"C2: true is no number",
			[]string{"port: true"},
			"popsync.yaml:7:11: accounts[0].port: found true or false, expected a whole number from 1 to 65535",
		},
		{
			"C2: text is no boolean",
			[]string{"enabled: maybe"},
			"popsync.yaml:7:14: accounts[0].enabled: found text, expected true or false",
		},
		{
			"C2: a number with a list",
			[]string{"enabled: [true]"},
			"popsync.yaml:7:14: accounts[0].enabled: found a list, expected true or false",
		},
		{
			"a path that is a list",
			[]string{"tls_ca_file: [a]"},
			"popsync.yaml:7:18: accounts[0].tls_ca_file: found a list, expected a path",
		},
		{
			"a path with NUL",
			[]string{`tls_ca_file: "a\0"`},
			"popsync.yaml:7:18: accounts[0].tls_ca_file: holds a NUL byte, which no path may",
		},
		{
			"an empty name",
			[]string{`name: ""`},
			"popsync.yaml:6:11: accounts[0].name: is empty",
		},
		{
			"an empty command",
			[]string{`password_command: ""`},
			"popsync.yaml:6:23: accounts[0].password_command: is empty or holds a NUL byte; write the command that prints the secret",
		},
		{
			"NUL in an argument",
			[]string{`password_command: [a, "b\0"]`},
			"popsync.yaml:6:23: accounts[0].password_command: element 2 holds a NUL byte",
		},
		{
			"arguments as keys",
			[]string{"password_command: {a: b}"},
			"popsync.yaml:6:23: accounts[0].password_command: found keys with values, expected a list: a program and its arguments",
		},
		{
			"an empty folder",
			[]string{`deliver: {maildir: /m, folder: ""}`},
			"popsync.yaml:6:36: accounts[0].deliver.folder: is empty",
		},
		{
			"several fingerprints",
			[]string{"tls_fingerprint: [a, [b]]"},
			"popsync.yaml:7:22: accounts[0].tls_fingerprint: element 2: found a list, expected text",
		},
	} {
		t.Run(c.name, func(t *testing.T) { wantErrors(t, with(c.lines...), c.want) })
	}
}

func TestErrorsOfAFile(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{
			"C2: an empty file", "",
			"popsync.yaml: is empty; write accounts: and an account; an account needs name, host, username, a password (or password_command, password_file …) and deliver",
		},
		{
			"C2: comments only", "# nothing\n",
			"popsync.yaml: is empty; write accounts: and an account; an account needs name, host, username, a password (or password_command, password_file …) and deliver",
		},
		{
			"C2: an empty document", "---\n",
			"popsync.yaml: is empty; write accounts: and an account; an account needs name, host, username, a password (or password_command, password_file …) and deliver",
		},
		{
			"C2: text only", "hello\n",
			"popsync.yaml:1:1: found text, expected keys with values: state, max_parallel, max_per_host …",
		},
		{
			"C2: a list only", "- name: work\n",
			"popsync.yaml:1:1: found a list, expected keys with values: state, max_parallel, max_per_host …",
		},
		{
			"C2: two documents", with() + "---\naccounts: []\n",
			`popsync.yaml:7: begins a second document; popsync reads one: take out the "---"`,
		},
		{
			"C2: an unknown anchor", "defaults: *all\n",
			"popsync.yaml:1: is not YAML: a value that begins with * has to be quoted",
		},
		{
			"C2: an anchor and a merge key", "defaults: &all {username: alice}\naccounts:\n  - <<: *all\n    name: work\n    host: h\n    password: p\n    deliver: {maildir: /m}\n",
			"popsync.yaml:1:11: defaults: is an anchor (&), which popsync does not understand; quote a value that begins with \"&\"\n" +
				"popsync.yaml:3:5: accounts[0]: merge keys (<<) are not understood; what several accounts share goes into defaults",
		},
		{
			"C2: an alias that holds itself", "defaults: &a {deliver: *a}\naccounts: []\n",
			"popsync.yaml:1:11: defaults: is an anchor (&), which popsync does not understand; quote a value that begins with \"&\"\n" +
				"popsync.yaml:2:11: accounts: is empty; an account needs name, host, username, a password (or password_command, password_file …) and deliver",
		},
		{
			"C2: a merge key that cannot be hashed", "<<: [{[a]: b}]\n",
			"popsync.yaml:1:1: merge keys (<<) are not understood; what several accounts share goes into defaults",
		},
		{
			"C2: a dash alone", "accounts:\n  -\n",
			"popsync.yaml:2:4: accounts[0]: is empty; take out the dash or write an account behind it",
		},
		{
			"C2: a dash alone among accounts", "accounts:\n  -\n  - name: work\n    host: h\n    username: u\n    password: p\n    deliver: {maildir: /m}\n",
			"popsync.yaml:2:4: accounts[0]: is empty; take out the dash or write an account behind it",
		},
		{
			"C2: not UTF-8", "accounts:\n# caf\xe9\n",
			"popsync.yaml:2: holds bytes that are not UTF-8; save the file as UTF-8",
		},
		{
			"C2: a control character", "accounts:\n# caf\x01\n",
			"popsync.yaml:2: is not YAML: a control character is not allowed",
		},
		{
			"C2: a key without a colon", "accounts:\n  - name: work\n    host\n    username: u\n",
			"popsync.yaml:3: is not YAML: a key without a colon, or a colon without a blank behind it",
		},
		{
			"C2: indentation", "accounts:\n  - name: work\n     host: h\n",
			`popsync.yaml:3: is not YAML: a value that holds ": " has to be quoted; or the indentation does not fit the lines above`,
		},
		{
			"C2: indentation of a list", "accounts:\n  - name: work\n host: h\n",
			"popsync.yaml:3: is not YAML: the indentation does not fit the lines above; or a value is quoted in part only",
		},
		{
			"C2: text behind the document's end", "accounts: []\n...\nhunter2\n",
			`popsync.yaml:3: is not YAML: text behind the end of the document ("...")`,
		},
		{
			"C2: a directive", "%YAML 1.2\n---\naccounts: []\n",
			"popsync.yaml:1: is not YAML: a line with %YAML is not understood; take it out",
		},
		{
			"no accounts", "interval: 5m\n",
			"popsync.yaml: accounts: is missing; an account needs name, host, username, a password (or password_command, password_file …) and deliver",
		},
		{
			"an empty list of accounts", "accounts: []\n",
			"popsync.yaml:1:11: accounts: is empty; an account needs name, host, username, a password (or password_command, password_file …) and deliver",
		},
		{
			"accounts is empty", "accounts:\n",
			"popsync.yaml:1:1: accounts: is empty; an account needs name, host, username, a password (or password_command, password_file …) and deliver",
		},
		{
			"accounts is text", "accounts: work\n",
			"popsync.yaml:1:11: accounts: found text, expected a list: each account begins with a dash, - name: …",
		},
		{
			"one account without its dash", "accounts:\n  name: work\n  host: h\n",
			"popsync.yaml:1:1: accounts: found keys with values, expected a list: each account begins with a dash, - name: …",
		},
		{
			"an account is text", "accounts: [work]\n",
			"popsync.yaml:1:12: accounts[0]: found text, expected keys with values: name, host, port …",
		},
		{
			"C1: a misspelt key at the top", "acounts: []\n",
			`popsync.yaml:1:1: acounts: unknown key; did you mean "accounts"?`,
		},
		{
			"C1: a key of an account at the top", "host: h\naccounts: []\n",
			"popsync.yaml:1:1: host: unknown key here; it belongs in an account\n" +
				"popsync.yaml:2:11: accounts: is empty; an account needs name, host, username, a password (or password_command, password_file …) and deliver",
		},
		{
			"an account without anything", "accounts:\n  - {}\n",
			"popsync.yaml:2:5: accounts[0].name: is missing; write how the account is to be called, such as work\n" +
				"popsync.yaml:2:5: accounts[0].host: is missing; write the server's name, such as pop.example.org\n" +
				"popsync.yaml:2:5: accounts[0].username: is missing; write the name to log in with, often the whole address\n" +
				"popsync.yaml:2:5: accounts[0].deliver: is missing; write deliver: {maildir: ~/Maildir}, or mda: and a program",
		},
		{
			"name in defaults", "defaults: {name: x}\naccounts: []\n",
			"popsync.yaml:1:12: defaults.name: unknown key here; it belongs in an account\n" +
				"popsync.yaml:2:11: accounts: is empty; an account needs name, host, username, a password (or password_command, password_file …) and deliver",
		},
		{
			"limits", "max_parallel: 0\nmax_per_host: many\ninterval: 500ms\nhistory: 90\naccounts: []\n",
			"popsync.yaml:1:15: max_parallel: is out of range; expected a whole number from 1 to 10000\n" +
				"popsync.yaml:2:15: max_per_host: found text, expected a whole number from 1 to 10000\n" +
				"popsync.yaml:3:11: interval: is no duration; its units are s, m, h and d, as in 90s, 5m, 1h30m or 14d\n" +
				"popsync.yaml:4:10: history: has no unit; write 300s or 5m\n" +
				"popsync.yaml:5:11: accounts: is empty; an account needs name, host, username, a password (or password_command, password_file …) and deliver",
		},
		{
			"later: everything at the top", "log: {format: json, file: /var/log/popsync}\nlisten: 127.0.0.1:8110\nmetrics_file: /m\nhooks: {new_mail: [/bin/x], failure: [a], recovery: [b]}\naccounts: []\n",
			"popsync.yaml:1:15: log.format: is not available in this version of popsync\n" +
				"popsync.yaml:1:27: log.file: is not available in this version of popsync\n" +
				"popsync.yaml:2:9: listen: is not available in this version of popsync\n" +
				"popsync.yaml:3:15: metrics_file: is not available in this version of popsync\n" +
				"popsync.yaml:4:19: hooks.new_mail: is not available in this version of popsync\n" +
				"popsync.yaml:4:38: hooks.failure: is not available in this version of popsync\n" +
				"popsync.yaml:4:53: hooks.recovery: is not available in this version of popsync\n" +
				"popsync.yaml:5:11: accounts: is empty; an account needs name, host, username, a password (or password_command, password_file …) and deliver",
		},
		{
			"later: unknown keys and words in it", "log: {fromat: json}\nhooks: {new_mail: /bin/x}\naccounts: []\n",
			"popsync.yaml:1:7: log.fromat: unknown key; did you mean \"format\"?\n" +
				"popsync.yaml:2:19: hooks.new_mail: is one text; write a list, [/path/to/program, argument]: no shell takes it apart\n" +
				"popsync.yaml:3:11: accounts: is empty; an account needs name, host, username, a password (or password_command, password_file …) and deliver",
		},
		{
			"C4: two accounts with a name", with() + "  - name: work\n    host: h\n    username: u\n    password: p\n    deliver: {maildir: /m}\n",
			`popsync.yaml:7:11: accounts[1].name: "work" is the name of the account in line 2 already`,
		},
		{
			"C4: two accounts with a mailbox", with() + "  - name: home\n    host: POP.Example.org\n    port: 995\n    username: alice\n    password: p\n    deliver: {maildir: /m}\n",
			`popsync.yaml:7:5: accounts[1]: the same host, port and username as account "work" in line 2`,
		},
		{
			"C1: all errors at once, in the file's order", "intervall: 5m\n" + with("port: 0", "tsl: none", "deliver: {mod: 0600}"),
			"popsync.yaml:1:1: intervall: unknown key; did you mean \"interval\"?\n" +
				"popsync.yaml:7:11: accounts[0].port: is out of range; expected a whole number from 1 to 65535\n" +
				"popsync.yaml:8:5: accounts[0].tsl: unknown key; did you mean \"tls\"?\n" +
				"popsync.yaml:9:14: accounts[0].deliver: has no target; write maildir: and a path, or mda: and a program\n" +
				`popsync.yaml:9:15: accounts[0].deliver.mod: unknown key; did you mean "mode"?`,
		},
		{
			"wrong defaults are told once", "defaults: {timeout: 5, tls: 5}\n" + with() + "  - name: home\n    host: h\n    username: u\n    password: p\n    deliver: {maildir: /m}\n",
			"popsync.yaml:1:21: defaults.timeout: has no unit; write 300s or 5m\n" +
				"popsync.yaml:1:29: defaults.tls: is none of implicit, starttls and none",
		},
		{
			"C4: two accounts with a mailbox and no name", strings.Replace(with()+strings.TrimPrefix(with(), "accounts:\n"), "name: work", "enabled: true", 1),
			"popsync.yaml:2:5: accounts[0].name: is missing; write how the account is to be called, such as work\n" +
				"popsync.yaml:7:5: accounts[1]: the same host, port and username as accounts[0] in line 2",
		},
		{
			"C2: a tag around it all", "!x {accounts: []}",
			`popsync.yaml:1:1: is a tag (!), which popsync does not understand; quote a value that begins with "!"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) { wantErrors(t, c.text, c.want) })
	}
}

// A file that is no configuration has a mistake in each line; not all of them are told.
func TestManyErrorsAreCutShort(t *testing.T) {
	_, err := load(t, strings.Repeat("x", 3)+": 1\n"+manyKeys(1000))
	errs, ok := errors.AsType[Errors](err)
	if !ok || len(errs) != mostErrors+1 || errs[0].Message != "has more mistakes than are told here" {
		t.Errorf("%d errors, the first %v", len(errs), errs[0])
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "key%d: 1\n", i)
	}
	return b.String()
}
