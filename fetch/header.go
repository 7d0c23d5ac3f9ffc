package fetch

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"

	"popsync/fetch/pop3"
)

// mostHeader octets of a header say which message it is; longer ones count by their beginning.
const mostHeader = 64 << 10

// identifying are the fields that a message keeps when it moves to another server. Others, such
// as Received, Status and X-UIDL, are added and changed on the way.
var identifying = [][]byte{
	[]byte("message-id"), []byte("date"), []byte("from"), []byte("to"), []byte("cc"), []byte("subject"),
}

const uniqueFields = 2 // of them, the first ones

// A digest is a number that tells messages apart: by what their authors wrote into the header, or,
// where that has neither Message-ID nor Date, as the alarms of small machines, by the whole message.
// The first kind is odd, the second even; 0 is not known.
//
// SHA-256 is cut to 63 bits: this is about chance, and who makes two messages alike on purpose can
// as well send one twice.

// headerDigest is the digest of a header, or weak.
func headerDigest(header []byte) uint64 {
	header = header[:min(len(header), mostHeader)]
	hash, wanted, unique := sha256.New(), false, false
	for line := range bytes.Lines(header) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if line[0] != ' ' && line[0] != '\t' { // else it continues the field before
			var u bool
			wanted, u = identifies(line)
			unique = unique || u
		}
		if wanted {
			hash.Write(line)
			hash.Write([]byte{'\n'})
		}
	}
	if !unique {
		return weak
	}
	return cut(hash) | 1
}

// weak is what the digest of a header is that tells its message from no other.
const weak = 0

func cut(h hash.Hash) uint64 { return binary.LittleEndian.Uint64(h.Sum(nil)) }

// tells says whether a digest is that of a header, and tells its message from others.
func tells(digest uint64) bool { return digest&1 == 1 }

// identifies says whether a field is one that a message keeps, and whether it is hardly ever the
// same in two.
func identifies(field []byte) (keeps, unique bool) {
	name, value, _ := bytes.Cut(field, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	for i, want := range identifying {
		if bytes.EqualFold(name, want) {
			return true, i < uniqueFields && len(bytes.TrimSpace(value)) > 0
		}
	}
	return false, false
}

// messageID is that of a header, as it stands there; empty where there is none.
func messageID(header []byte) string {
	for line := range bytes.Lines(header) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if ok && bytes.EqualFold(bytes.TrimRight(name, " \t"), identifying[0]) {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

// A passing message is a body on its way into a target: its header is kept as it passes, and it
// may not be larger than most octets.
type passing struct {
	body   *pop3.Body
	most   int64 // 0: any size
	passed int64
	header []byte
	ended  bool      // the header is over
	whole  hash.Hash // of a message whose header tells nothing; nil otherwise
}

func (p *passing) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	if tooLarge := p.take(b[:n]); tooLarge != nil {
		return 0, tooLarge
	}
	return n, err
}

// WriteTo spares a copy: the body's octets go to w as they lie in the connection's buffer.
func (p *passing) WriteTo(w io.Writer) (int64, error) { return p.body.WriteTo(watched{p, w}) }

// A watched writer looks at what passes.
type watched struct {
	p *passing
	w io.Writer
}

func (t watched) Write(b []byte) (int, error) {
	if err := t.p.take(b); err != nil {
		return 0, err
	}
	return t.w.Write(b)
}

// take looks at the next octets.
func (p *passing) take(b []byte) error {
	p.passed += int64(len(b))
	if p.most > 0 && p.passed > p.most {
		return errTooLarge
	}
	if p.ended {
		p.goOn(b)
		return nil
	}
	from := max(0, len(p.header)-len("\r\n\r"))
	n := min(len(b), mostHeader-len(p.header))
	p.header = append(p.header, b[:n]...)
	if p.ended = len(p.header) == mostHeader || bytes.Contains(p.header[from:], []byte("\r\n\r\n")); p.ended {
		p.judge()
		p.goOn(b[n:])
	}
	return nil
}

// judge begins a digest of the whole message where its header tells nothing.
func (p *passing) judge() {
	if !tells(headerDigest(p.header)) {
		p.whole = sha256.New()
		p.whole.Write(p.header)
	}
}

func (p *passing) goOn(b []byte) {
	if p.whole != nil {
		p.whole.Write(b)
	}
}

// digest is that of the message that has passed.
func (p *passing) digest() uint64 {
	if !p.ended {
		p.judge()
	}
	if p.whole != nil {
		return max(2, cut(p.whole)&^1)
	}
	return headerDigest(p.header)
}
