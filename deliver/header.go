package deliver

import (
	"bytes"
	"io"
	"net/mail"
	"strings"
)

// maxHeader is how far into a message addresses are looked for.
const maxHeader = 64 << 10

// A header is the beginning of a message. It is read as mail is and not as RFC 5322 wants it:
// lines that are no fields are passed over.
type header []byte

// readHeader reads the header without moving the offset. What cannot be read is not there.
func readHeader(r io.ReaderAt) header {
	h, _ := io.ReadAll(io.NewSectionReader(r, 0, maxHeader))
	return h
}

// sender is the envelope sender if the message says so, even if that is nobody (a bounce, which
// must not be answered), and otherwise its author.
func (h header) sender() string {
	if path, ok := h.field("Return-Path"); ok {
		return firstAddress(path)
	}
	from, _ := h.field("From")
	return firstAddress(from)
}

func (h header) recipient() string {
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "To"} {
		value, _ := h.field(name)
		if address := firstAddress(value); address != "" {
			return address
		}
	}
	return ""
}

// field is the value of the first field with that name, unfolded.
func (h header) field(name string) (value string, ok bool) {
	var unfolded []byte
	for line := range bytes.Lines(h) {
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case ok && len(line) > 0 && (line[0] == ' ' || line[0] == '\t'):
			unfolded = append(unfolded, line...)
		case ok, len(line) == 0: // the next field, or the body
			return string(unfolded), ok
		default:
			key, rest, colon := bytes.Cut(line, []byte(":"))
			if colon && strings.EqualFold(string(bytes.TrimRight(key, " \t")), name) {
				unfolded, ok = append(unfolded, rest...), true
			}
		}
	}
	return string(unfolded), ok
}

// firstAddress is the first address in value, "" if there is none.
func firstAddress(value string) string {
	if list, err := mail.ParseAddressList(value); err == nil && len(list) > 0 {
		return list[0].Address
	}
	if _, after, ok := strings.Cut(value, "<"); ok {
		inside, _, _ := strings.Cut(after, ">")
		return bareAddress(inside)
	}
	first, _, _ := strings.Cut(value, ",")
	return bareAddress(first)
}

// bareAddress is s if it could be an address, which may be a local user's name, or nothing.
func bareAddress(s string) string {
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, " \t<>()\":;,") {
		return ""
	}
	return s
}
