package samples

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"mime"
	"mime/multipart"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOrderAndNames(t *testing.T) {
	var names []string
	for _, s := range All() {
		names = append(names, s.Name)
	}
	want := []string{
		"01-plain", "02-thread-1", "03-thread-2", "04-thread-3", "05-thread-4", "06-html", "07-attachment", "08-german",
		"09-japanese", "10-arabic", "11-dots", "12-8bit", "13-long-line", "14-from-line", "15-no-subject", "16-list",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestLinesEndInCRLF(t *testing.T) {
	for _, s := range All() {
		lines := bytes.Count(s.Raw, []byte("\n"))
		if bytes.Count(s.Raw, []byte("\r\n")) != lines || bytes.Count(s.Raw, []byte("\r")) != lines || !bytes.HasSuffix(s.Raw, []byte("\r\n")) {
			t.Errorf("%s: other line ends", s.Name)
		}
	}
}

func TestHeadersAreWellFormed(t *testing.T) {
	ids := make(map[string]string)
	for _, s := range All() {
		m := parse(t, s)
		for _, field := range []string{"From", "To"} {
			if _, err := m.Header.AddressList(field); err != nil {
				t.Errorf("%s: %s: %v", s.Name, field, err)
			}
		}
		if _, err := m.Header.Date(); err != nil {
			t.Errorf("%s: Date: %v", s.Name, err)
		}
		id := m.Header.Get("Message-ID")
		if other, ok := ids[id]; ok || id == "" {
			t.Errorf("%s: Message-ID %q, as in %q", s.Name, id, other)
		}
		ids[id] = s.Name
	}
}

func TestDomainsAreReserved(t *testing.T) {
	domain := regexp.MustCompile(`(?:@|//)([A-Za-z0-9.-]+)`)
	reserved := regexp.MustCompile(`^(.+\.)?example\.(org|com|net)$`)
	for _, s := range All() {
		for _, match := range domain.FindAllSubmatch(s.Raw, -1) {
			if !reserved.Match(match[1]) {
				t.Errorf("%s: %s", s.Name, match[0])
			}
		}
	}
}

func TestThreadRefersToWhatCameBefore(t *testing.T) {
	before := []string{}
	for _, s := range All()[1:5] {
		m := parse(t, s)
		if diff := cmp.Diff(before, strings.Fields(m.Header.Get("References"))); diff != "" {
			t.Errorf("%s: References (-want +got):\n%s", s.Name, diff)
		}
		before = append(before, m.Header.Get("Message-ID"))
	}
}

func TestSubjectsDecode(t *testing.T) {
	var words mime.WordDecoder
	want := map[string]string{
		"01-plain":      "Keys for the boat house",
		"08-german":     "Grüße aus Köln",
		"09-japanese":   "会議の日程について",
		"10-arabic":     "موعد الاجتماع القادم",
		"15-no-subject": "",
	}
	for _, s := range All() {
		got, err := words.DecodeHeader(parse(t, s).Header.Get("Subject"))
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if subject, ok := want[s.Name]; ok && got != subject {
			t.Errorf("%s: subject %q, want %q", s.Name, got, subject)
		}
	}
}

func TestAttachmentIsAPicture(t *testing.T) {
	m := parse(t, find(t, "07-attachment"))
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatalf("no picture: %v", err)
		}
		if part.FileName() == "sun.png" {
			if _, err := png.Decode(base64.NewDecoder(base64.StdEncoding, part)); err != nil {
				t.Error(err)
			}
			return
		}
	}
}

func TestEachSampleHasItsOddity(t *testing.T) {
	tests := []struct{ name, has string }{
		{"11-dots", "\r\n.\r\n..\r\n...\r\n.hidden"},
		{"11-dots", "\r\n.\r\nQUIT\r\n"},
		{"12-8bit", "cr\xe8me"},
		{"14-from-line", "\r\n\r\nFrom mira"},
		{"15-no-subject", "\r\nSubject:\r\n"},
		{"16-list", "\r\nList-Id: "},
		{"09-japanese", "\x1b$B"},
	}
	for _, test := range tests {
		if !bytes.Contains(find(t, test.name).Raw, []byte(test.has)) {
			t.Errorf("%s: no %q", test.name, test.has)
		}
	}
	longest := slices.MaxFunc(bytes.Split(find(t, "13-long-line").Raw, []byte("\r\n")), func(a, b []byte) int { return len(a) - len(b) })
	if len(longest) < 10_000 {
		t.Errorf("13-long-line: %d octets", len(longest))
	}
}

func TestCallersDoNotShare(t *testing.T) {
	clear(All()[0].Raw)
	if All()[0].Raw[0] == 0 {
		t.Error("a change by one caller is seen by another")
	}
}

func find(t *testing.T, name string) Sample {
	t.Helper()
	for _, s := range All() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no sample %s", name)
	return Sample{}
}

func parse(t *testing.T, s Sample) *mail.Message {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(s.Raw))
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return m
}
