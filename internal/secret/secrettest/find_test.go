package secrettest

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

const marker = "Pw7-never-to-be-shown"

func TestFind(t *testing.T) {
	encode := base64.StdEncoding.EncodeToString
	for name, text := range map[string]string{
		"as it is":           "PASS " + marker,
		"in capitals":        strings.ToUpper(marker),
		"PLAIN":              encode([]byte("\x00alice\x00" + marker)),
		"LOGIN":              encode([]byte(marker)),
		"XOAUTH2":            encode([]byte("user=alice\x01auth=Bearer " + marker + "\x01\x01")),
		"one octet before":   encode([]byte("a" + marker + "bc")),
		"two octets before":  encode([]byte("ab" + marker + "c")),
		"in hex":             fmt.Sprintf("%x", marker),
		"quoted, with an \\": fmt.Sprintf("%q", `a"`+marker),
	} {
		if Find("x "+text+" y", marker) == "" {
			t.Errorf("%s is not found in %q", name, text)
		}
	}
	if found := Find("nothing here "+encode([]byte("another password")), marker); found != "" {
		t.Errorf("found %q where nothing is", found)
	}
}
