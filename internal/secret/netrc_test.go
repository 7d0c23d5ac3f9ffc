package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A6: the password of the first entry for host and login.
func TestNetrc(t *testing.T) {
	const host, user = "pop.example.org", "alice@example.org"
	const add = "; add: machine pop.example.org login alice@example.org password PASSWORD"
	for name, c := range map[string]struct{ text, want, err string }{
		"one line":            {"machine pop.example.org login alice@example.org password abc", "abc", ""},
		"a word a line":       {"machine\npop.example.org\nlogin\nalice@example.org\npassword\nabc\n", "abc", ""},
		"line ends of DOS":    {"machine pop.example.org\r\n\tpassword abc\r\n", "abc", ""},
		"no login serves all": {"machine pop.example.org password abc", "abc", ""},
		"the first one counts": {
			"machine pop.example.org password a\nmachine pop.example.org login alice@example.org password b", "a", "",
		},
		"another login, another machine": {
			"machine pop.example.org login bob password a\nmachine x login alice@example.org password b\n" +
				"machine pop.example.org login alice@example.org password c", "c", "",
		},
		"upper case, root's dot":    {"machine POP.Example.org. password abc", "abc", ""},
		"default":                   {"machine x password a default password b machine pop.example.org password c", "b", ""},
		"default with another user": {"default login anonymous password a\nmachine pop.example.org password b", "b", ""},
		"password before login":     {"machine pop.example.org password abc login alice@example.org", "abc", ""},
		"account, port":             {"machine pop.example.org account x port 995 password abc", "abc", ""},
		"user, passwd":              {"machine pop.example.org user alice@example.org passwd abc", "abc", ""},
		"comments":                  {"# machine x\nmachine pop.example.org # password z\n#\n  password abc # d e f\n", "abc", ""},
		"# begins a password":       {"machine pop.example.org password #abc", "#abc", ""},
		"# within a password":       {"machine pop.example.org password a#bc", "a#bc", ""},
		"a keyword as a password":   {"machine pop.example.org password login login alice@example.org", "login", ""},
		"quotes":                    {`machine "pop.example.org" password "a b # \"c\" \\d"`, `a b # "c" \d`, ""},
		"a quote within":            {`machine pop.example.org password a"b"c`, `a"b"c`, ""},
		"a backslash":               {`machine pop.example.org password a\ b\\c\d`, `a b\cd`, ""},
		"a backslash ends it":       {`machine pop.example.org password ab\`, `ab\`, ""},
		"8-bit and UTF-8":           {"machine pop.example.org password \xffü", "\xffü", ""},
		"a macro": {
			"machine x login a password b macdef init\nmachine pop.example.org password z\nput \"\n\nmachine pop.example.org password abc", "abc", "",
		},
		"a macro to the end":        {"macdef init\nmachine pop.example.org password z", "", ": there is no entry for pop.example.org" + add},
		"a stranger's keyword":      {"machine x secret y\nmachine pop.example.org password abc", "abc", ""},
		"before the first machine":  {"login alice@example.org password a\nmachine pop.example.org password b", "b", ""},
		"an empty file":             {"", "", ": there is no entry for pop.example.org" + add},
		"a machine below it":        {"machine example.org password a machine x.pop.example.org password b", "", ": there is no entry for pop.example.org" + add},
		"another login only":        {"\nmachine pop.example.org login bob password a", "", `:2: the entry is for another login than "alice@example.org"` + add},
		"an entry without password": {"machine x password a\nmachine pop.example.org login alice@example.org", "", ":2: the entry has no password; add: password PASSWORD"},
		"empty":                     {`machine pop.example.org password ""`, "", ":1: the secret is empty; write the password behind the word password"},
		"NUL (W18)":                 {"machine pop.example.org password a\x00b", "", ":1: the secret holds a NUL byte, which cannot be sent to a server"},
		"a blank in a password": {
			"machine pop.example.org\npassword " + marker, "",
			`:2: there is a word that is no keyword of netrc; write a password with blanks in "quotes"`,
		},
		"quotes that stay open": {
			"machine pop.example.org\npassword \"" + marker + "\nmachine x password y\"", "",
			`:2: a word in "quotes" has no closing quote in its line; a quote within is written \"`,
		},
		"quotes open to the end": {
			"machine pop.example.org password \"" + marker, "",
			`:1: a word in "quotes" has no closing quote in its line; a quote within is written \"`,
		},
		"nothing behind password": {"machine pop.example.org\n password\n\n", "", `:2: the file ends behind "password"; write the rest of the entry`},
		"nothing behind machine":  {"machine", "", `:1: the file ends behind "machine"; write the rest of the entry`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := netrcPassword(c.text, host, user)
			if got.Reveal() != c.want || errorText(err) != c.err {
				t.Errorf("got  %q, %v\nwant %q, %s", got.Reveal(), err, c.want, c.err)
			}
			if err != nil && shows(err.Error()) {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestNetrcLineIsRead(t *testing.T) {
	const host, user = "unix:/run/my pop", `a "b" \c`
	_, err := netrcPassword("", host, user)
	_, line, _ := strings.Cut(errorText(err), "add: ")
	if got, err := netrcPassword(line, host, user); got.Reveal() != "PASSWORD" {
		t.Errorf("%s gives %q, %v", line, got.Reveal(), err)
	}
}

// C3: as every secret file.
func TestNetrcFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netrc")
	source := Netrc(path, "h", "u")
	wantSecret(t, source, "", "netrc file "+path+": file does not exist; make it, for yourself alone (mode 0600), with: machine h login u password PASSWORD")
	write(t, path, `machine h login u password "`+marker+`"`, 0o600)
	wantSecret(t, source, marker, "")
	chmod(t, path, 0o604)
	wantSecret(t, source, "", "netrc file "+path+" holds a secret and its mode 0604 lets others at it; close it: chmod 600 "+path)
	write(t, path, "machine h login u password "+marker, 0o600)
	wantSecret(t, source, "",
		"netrc file "+path+`:1: there is a word that is no keyword of netrc; write a password with blanks in "quotes"`)
	write(t, path, strings.Repeat("#\n", maxNetrc), 0o600)
	wantSecret(t, source, "", "netrc file "+path+": longer than 1 MiB; see that it is a netrc file")
	wantSecret(t, Netrc(filepath.Dir(path), "h", "u"), "", "netrc file "+filepath.Dir(path)+" is not a regular file; see what it is: ls -l "+filepath.Dir(path))
}

func TestNetrcIsFound(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("NETRC", "")
	write(t, filepath.Join(home, ".netrc"), "default password home", 0o600)
	wantSecret(t, Netrc("", "h", "u"), "home", "")
	other := filepath.Join(home, "other")
	write(t, other, "default password "+`"$NETRC"`, 0o600)
	t.Setenv("NETRC", other)
	wantSecret(t, Netrc("", "h", "u"), "$NETRC", "")
	t.Setenv("NETRC", "")
	os.Unsetenv("HOME")
	wantSecret(t, Netrc("", "h", "u"), "", "netrc file: neither $NETRC nor $HOME is set; set one where popsync is started")
}

// What is read has no end that the file has not; what is written for a password is read as it.
func FuzzNetrc(f *testing.F) {
	for _, text := range []string{
		"machine h login u password p\n", "default\tpassword \"a \\\" b\"", "macdef x\na\n\nmachine h password #", "# x\n\"", `password \`,
	} {
		f.Add(text, "a b")
	}
	f.Fuzz(func(t *testing.T, text, password string) {
		entries, err := parseNetrc(text)
		for _, e := range entries {
			lines := 1 + strings.Count(text, "\n")
			if e.line < 1 || e.line > lines || e.stray > lines || len(e.machine)+len(e.login)+len(e.password) > len(text) {
				t.Errorf("%+v of %q", e, text)
			}
		}
		if err == nil && len(entries) > len(text)/len("machine") {
			t.Errorf("%d entries of %q", len(entries), text)
		}
		if check(password) != nil {
			return
		}
		line := "machine h login u password " + netrcWord(password)
		if got, err := netrcPassword(line, "h", "u"); err != nil || got.Reveal() != password {
			t.Errorf("%s gives %q, %v", line, got.Reveal(), err)
		}
	})
}
