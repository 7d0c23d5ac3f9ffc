package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"popsync/uidl"
)

var workBox = uidl.Mailbox{Host: "pop.example.org", Port: 995, User: "alice"}

// A UID is any octets but NUL, of any UID a server may give (W14).
func anyRecord() *rapid.Generator[recordWire] {
	stamp := rapid.Map(rapid.Int64Range(0, 253402300799), func(n int64) uidl.Stamp { return uidl.Stamp(n) })
	return rapid.Custom(func(t *rapid.T) recordWire {
		return recordWire{
			UID: rapid.OneOf(
				rapid.SliceOfN(rapid.ByteRange(0x21, 0x7e), 1, 70),
				rapid.SliceOfN(rapid.ByteRange(1, 0xff), 0, 40),
				rapid.SliceOfN(rapid.Just(byte('x')), 499, 600),
			).Draw(t, "UID"),
			Rank: rapid.Uint32().Draw(t, "rank"),
			Record: uidl.Record{
				State:        uidl.State(rapid.IntRange(0, int(uidl.Quarantined)).Draw(t, "state")),
				Attempts:     rapid.Uint16().Draw(t, "attempts"),
				Deletions:    rapid.Uint8().Draw(t, "deletions"),
				DeleteSent:   rapid.Bool().Draw(t, "delete sent"),
				Told:         rapid.Bool().Draw(t, "told"),
				Shared:       rapid.Bool().Draw(t, "shared"),
				Size:         rapid.Int64Min(-1).Draw(t, "size"),
				Seen:         rapid.Int64Min(0).Draw(t, "seen"),
				Header:       rapid.Uint64().Draw(t, "header"),
				Changed:      stamp.Draw(t, "changed"),
				MissingSince: stamp.Draw(t, "missing since"),
			},
		}
	})
}

func exportOf(t testing.TB, records []recordWire, listed bool) string {
	t.Helper()
	var b strings.Builder
	e := newExportWriter(&b)
	err := cmp.Or(e.begin(time.Now()), e.mailbox("work", workBox, listed))
	for _, r := range records {
		err = cmp.Or(err, e.record(r))
	}
	if err = cmp.Or(err, e.end()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestImportReadsWhatExportWrites(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		records := rapid.SliceOfNDistinct(anyRecord(), 0, 20, func(r recordWire) uidl.Ref { return r.ref() }).Draw(rt, "records")
		listed := rapid.Bool().Draw(rt, "listed")
		text := exportOf(t, records, listed)
		for _, c := range text {
			if c < ' ' && c != '\n' || c == 0x7f || 0x80 <= c && c < 0xa0 {
				rt.Errorf("%q would reach a terminal", c)
			}
		}
		got, err := readImport(strings.NewReader(text), "file", "work", workBox)
		if err != nil {
			rt.Fatal(err)
		}
		slices.SortFunc(records, compareRecords)
		if !got.Export || got.Listed != listed || len(got.Records) != len(records) {
			rt.Fatalf("%+v", got)
		}
		for i, want := range records {
			if have := got.Records[i]; !bytes.Equal(have.UID, want.UID) || have.Rank != want.Rank || have.Record != want.Record {
				rt.Errorf("%+v became %+v", want, have)
			}
		}
	})
}

func TestImportOfPlainText(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		want []string
	}{
		"a UID a line":                     {"b\na\n", []string{"a", "b"}},
		"no end of the last line":          {"a", []string{"a"}},
		"CRLF, empty lines and a mark":     {"\ufeffa\r\n\r\nb\r\n", []string{"a", "b"}},
		"the same twice is one":            {"a\na\n", []string{"a"}},
		"8-bit octets, brackets, a hash":   {"\xe9\n{x}\n#1\n", []string{"#1", "{x}", "\xe9"}},
		"an object that is no first line":  {"a\n{\"b\":1}\n", []string{"a", `{"b":1}`}},
		"a first line that is no object":   {"{a}\nb", []string{"b", "{a}"}},
		"as long as a UID may be":          {strings.Repeat("x", maxUID), []string{strings.Repeat("x", maxUID)}},
		"what begins like an export's UID": {`{"type":`, []string{`{"type":`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readImport(strings.NewReader(tt.in), "file", "work", workBox)
			if err != nil {
				t.Fatal(err)
			}
			var uids []string
			for _, r := range got.Records {
				uids = append(uids, string(r.UID))
				if r.State != uidl.Imported || r.Size != -1 {
					t.Errorf("%+v", r)
				}
			}
			if diff := gocmp.Diff(tt.want, uids); diff != "" || got.Export {
				t.Error(got.Export, diff)
			}
		})
	}
}

const (
	header   = `{"type":"popsync-uidl-export","schema":1}` + "\n"
	workLine = `{"type":"mailbox","account":"work","host":"pop.example.org","port":995,"user":"alice"}` + "\n"
	homeLine = `{"type":"mailbox","account":"home","host":"pop.example.org","port":995,"user":"bob"}` + "\n"
	oneLine  = `{"type":"record","uid":"1","state":"delivered"}` + "\n"
)

func TestImportTakesTheMailboxThatFits(t *testing.T) {
	section := func(account, user, uid string) string {
		return `{"type":"mailbox","account":"` + account + `","host":"pop.example.org","port":995,"user":"` + user + `"}` + "\n" +
			`{"type":"record","uid":"` + uid + `","state":"seen"}` + "\n"
	}
	end := func(n string) string { return `{"type":"end","mailboxes":` + n + `,"records":` + n + `}` + "\n" }
	for name, tt := range map[string]struct{ in, want string }{
		"the only one, whatever its name":        {section("home", "bob", "1") + end("1"), "1"},
		"the same server and user before a name": {section("work", "bob", "1") + section("old", "alice", "2") + end("2"), "2"},
		"... in the other order":                 {section("old", "alice", "2") + section("work", "bob", "1") + end("2"), "2"},
		"the account's name":                     {section("home", "carol", "1") + section("work", "bob", "2") + section("x", "y", "3") + end("3"), "2"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readImport(strings.NewReader(header+tt.in), "file", "work", workBox)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Records) != 1 || string(got.Records[0].UID) != tt.want {
				t.Errorf("%+v", got.Records)
			}
		})
	}
}

// Every mistake is told with its line, and nothing is taken of such a file.
func TestImportRefuses(t *testing.T) {
	record := func(fields string) string {
		return header + workLine + `{"type":"record",` + fields + "}\n" + `{"type":"end","mailboxes":1,"records":1}`
	}
	for name, tt := range map[string]struct{ in, want string }{
		"nothing":                    {"", "file: is empty"},
		"a blank in a line":          {"ok\nalice@host uid-1\n", `file:2: "alice@host uid-1": a blank or a control character`},
		"a control character":        {"\x1b[2J\n", `file:1: "\x1b[2J": a blank or a control character`},
		"a NUL":                      {"a\x00b\n", `file:1: "a\x00b": a blank or a control character`},
		"a UID without an end":       {strings.Repeat("x", maxUID+1), "file:1: a UID of 16385 octets; the most is 16384"},
		"a line without an end":      {strings.Repeat("x", maxLine+1), "file:1: a line of more than 256 KiB"},
		"another JSON":               {`{"schema":1,"command":"uidl list"}` + "\n", "file:1: is JSON, and no export of popsync"},
		"a header alone":             {header, "file:1: the export ends here, and is not whole"},
		"a newer export":             {`{"type":"popsync-uidl-export","schema":2}` + "\n", "file:1: is an export of a newer popsync (schema 2; this one knows 1)"},
		"an end in the middle":       {header + workLine + oneLine, "file:3: the export ends here, and is not whole"},
		"a line is missing":          {header + workLine + `{"type":"end","mailboxes":1,"records":1}`, "file:3: 1 mailbox and 1 record should be here, and there are 1 mailbox and 0 records"},
		"two exports, one by one":    {header + workLine + `{"type":"end","mailboxes":1,"records":0}` + "\n" + header, "file:4: something stands behind the end"},
		"a record of no mailbox":     {header + oneLine, "file:2: a record before the first mailbox"},
		"half a line":                {header + `{"type":"rec`, "file:2: is no JSON object of an export: unexpected end of JSON input"},
		"a type of the future":       {header + `{"type":"intent"}`, `file:2: a line of type "intent", which no export has`},
		"octets that are no UTF-8":   {header + "\xff", "file:2: is not UTF-8"},
		"no UID":                     {record(`"state":"seen"`), "file:3: uid is missing"},
		"two UIDs":                   {record(`"uid":"a","uid_base64":"YQ==","state":"seen"`), "file:3: uid and uid_base64 contradict each other"},
		"no base64":                  {record(`"uid_base64":"?","state":"seen"`), "file:3: is no JSON object of an export: illegal base64"},
		"a NUL in a UID":             {record(`"uid":"a\u0000","state":"seen"`), "file:3: uid: a NUL in it"},
		"no state":                   {record(`"uid":"a"`), `file:3: state: "" is none`},
		"a state of the future":      {record(`"uid":"a","state":"flagged"`), `file:3: state: "flagged" is none`},
		"a size below 0":             {record(`"uid":"a","state":"seen","size":-1`), "file:3: a size below 0"},
		"a size that is a text":      {record(`"uid":"a","state":"seen","size":"12"`), "file:3: size: string, which does not fit"},
		"too many attempts":          {record(`"uid":"a","state":"seen","attempts":70000`), "file:3: attempts: number 70000, which does not fit"},
		"a header digest":            {record(`"uid":"a","state":"seen","header":"12"`), `file:3: header: "12" is not 16 hexadecimal digits`},
		"a time that is none":        {record(`"uid":"a","state":"seen","changed":"yesterday"`), "file:3: is no JSON object of an export: parsing time"},
		"several mailboxes, no name": {header + homeLine + strings.Replace(homeLine, "home", "x", 1) + `{"type":"end","mailboxes":2}`, "file: which mailbox is that of work? there is home (bob@pop.example.org:995), x (bob@"},
		"no mailbox":                 {header + `{"type":"end"}`, "file: which mailbox is that of work? there is none"},
		"of two, one each":           {"a b\nc\nd e\n", "file:1: \"a b\": a blank or a control character in it; one UID a line is wanted, and nothing else\nfile:3:"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readImport(strings.NewReader(tt.in), "file", "work", workBox)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if status := statusOf(explain(err)); status != exitUsage || got.Records != nil {
				t.Errorf("status %d, %+v", status, got)
			}
		})
	}
}

func TestImportTellsTheFirstMistakes(t *testing.T) {
	_, err := readImport(strings.NewReader(strings.Repeat("a b\n", 1000)), "file", "work", workBox)
	if n := len(explain(err)); n != maxFaults {
		t.Errorf("%d mistakes are told", n)
	}
}

// A file without an end is given up, and does not fill the memory.
func TestImportIsBounded(t *testing.T) {
	in := newImportReader("file", "work", workBox)
	if in.most != maxRecords {
		t.Errorf("%d records are taken", in.most)
	}
	in.most = 1000
	if err := in.read(bufio.NewReader(&endless{})); err != nil {
		t.Fatal(err)
	}
	if got := in.faults[0].Error(); got != "file:1001: no server lists so many messages" || len(in.got.Records) != 1000 {
		t.Errorf("%s; %d records", got, len(in.got.Records))
	}
}

// endless lines, each another UID.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for len(p)-n > 8 {
		e.n++
		for i, k := 0, e.n; i < 7; i, k = i+1, k/10 {
			p[n] = byte('0' + k%10)
			n++
		}
		p[n] = '\n'
		n++
	}
	return n, nil
}

func TestImportTellsThatReadingFailed(t *testing.T) {
	_, err := readImport(io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(errors.New("no more"))), "file", "work", workBox)
	if err == nil || err.Error() != "no more" {
		t.Error(err)
	}
}

func FuzzImport(f *testing.F) {
	f.Add("a\nb\r\n\r\n\xff\n")
	f.Add(header + workLine + oneLine + `{"type":"end","mailboxes":1,"records":1}` + "\n")
	f.Add(header + homeLine + oneLine + workLine + `{"type":"record","uid_base64":"/w==","state":"failed","size":1,"changed":"2026-11-24T08:15:00Z","header":"00000000000000ff"}`)
	f.Add(`{"type":"popsync-uidl-export","schema":9}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readImport(strings.NewReader(text), "file", "work", workBox)
		if err != nil {
			return
		}
		for i, r := range got.Records {
			if len(r.UID) > maxUID || bytes.IndexByte(r.UID, 0) >= 0 || r.Size < -1 || r.Record.Seen < 0 || r.State > uidl.Quarantined {
				t.Errorf("%+v is taken", r)
			}
			if i > 0 && compareRecords(got.Records[i-1], r) >= 0 {
				t.Errorf("%q is not in order, or twice", r.UID)
			}
		}
		again, err := readImport(strings.NewReader(exportOf(t, got.Records, got.Listed)), "file", "work", workBox)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range again.Records {
			if want := got.Records[i]; !bytes.Equal(r.UID, want.UID) || r.Rank != want.Rank || r.Record != want.Record {
				t.Errorf("%+v became %+v", want, r)
			}
		}
	})
}
