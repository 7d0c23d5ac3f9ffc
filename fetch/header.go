package fetch

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
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

// headerDigest is a number that tells messages apart by what their authors wrote into the header.
// 0 says that there is nothing to tell them apart by.
func headerDigest(header []byte) uint64 {
	header = header[:min(len(header), mostHeader)]
	hash, wanted, any := sha256.New(), false, false
	for line := range bytes.Lines(header) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if line[0] != ' ' && line[0] != '\t' { // else it continues the field before
			wanted = identifies(line)
		}
		if wanted {
			hash.Write(line)
			hash.Write([]byte{'\n'})
			any = true
		}
	}
	if !any {
		return 0
	}
	return max(1, binary.LittleEndian.Uint64(hash.Sum(nil)))
}

func identifies(field []byte) bool {
	name, _, _ := bytes.Cut(field, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	for _, want := range identifying {
		if bytes.EqualFold(name, want) {
			return true
		}
	}
	return false
}

// A passing message is a body on its way into a target: its header is kept as it passes, and it
// may not be larger than most octets.
type passing struct {
	body   *pop3.Body
	most   int64 // 0: any size
	passed int64
	header []byte
	ended  bool // the header is over
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
		return nil
	}
	from := max(0, len(p.header)-len("\r\n\r"))
	p.header = append(p.header, b[:min(len(b), mostHeader-len(p.header))]...)
	p.ended = len(p.header) == mostHeader || bytes.Contains(p.header[from:], []byte("\r\n\r\n"))
	return nil
}

// digest is that of the header that has passed.
func (p *passing) digest() uint64 { return headerDigest(p.header) }
