package deliver

import (
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		claim, message, sender, recipient string
	}{
		{"nothing", "", "", ""},
		{"From and To", "From: A <a@x>\nTo: b@y, c@z\n\n", "a@x", "b@y"},
		{"the envelope comes first", "From: a@x\nTo: b@y\nDelivered-To: d@y\nReturn-Path: <r@x>\n\n", "r@x", "d@y"},
		{"a bounce has no sender", "Return-Path: <>\nFrom: MAILER-DAEMON@x\n\n", "", ""},
		{"a local user", "Delivered-To: alice\n\n", "", "alice"},
		{"the next one if the first says nothing", "Delivered-To:\nX-Original-To: b@y\n\n", "", "b@y"},
		{"folded, CR LF, any case", "fROM:\r\n A\r\n\t<a@x>\r\nto : b@y\r\n\r\n", "a@x", "b@y"},
		{"the body is not read", "Subject: x\n\nFrom: a@x\nTo: b@y\n", "", ""},
		{"lines that are no fields", "From x@y Mon\n garbage\n:\nFrom: a@x\nTo\n\n", "a@x", ""},
		{"odd addresses", "From: \"unclosed <a@x>\nTo: =?broken <b@y>, <c@z>\n\n", "a@x", "b@y"},
		{"no address at all", "From: A B\nTo: undisclosed-recipients:;\n\n", "", ""},
		{"beyond 64 KiB", "Subject: " + strings.Repeat("x", maxHeader) + "\nFrom: a@x\n\n", "", ""},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			h := readHeader(strings.NewReader(tt.message))
			if got := h.sender(); got != tt.sender {
				t.Errorf("sender %q, want %q", got, tt.sender)
			}
			if got := h.recipient(); got != tt.recipient {
				t.Errorf("recipient %q, want %q", got, tt.recipient)
			}
		})
	}
}

func FuzzHeader(f *testing.F) {
	f.Add("From: a@x\r\nTo: b@y\r\n\r\n")
	f.Add("Return-Path: <>\nTo: undisclosed-recipients:;\n x\n")
	f.Fuzz(func(t *testing.T, message string) {
		h := readHeader(strings.NewReader(message))
		for _, address := range []string{h.sender(), h.recipient()} {
			if got := harmless(address); strings.HasPrefix(got, "-") || strings.ContainsAny(got, "\x00\n\r") {
				t.Errorf("%q is not harmless", got)
			}
		}
	})
}
