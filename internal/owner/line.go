package owner

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxLine is the most octets of a line, its LF included.
const maxLine = 4 << 20

var errLong = fmt.Errorf("a line of more than %d octets", maxLine)

// readLine reads a line of at most limit octets and returns it without its LF; it is good until
// the next read. The error is errLong, [io.EOF] at the end, [io.ErrUnexpectedEOF] after half a
// line, or the reader's.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var begun []byte // what does not fit into the reader's buffer
	for {
		part, err := r.ReadSlice('\n')
		if len(begun)+len(part) > limit {
			return nil, errLong
		}
		switch {
		case err == nil && begun == nil:
			return bytes.TrimSuffix(part, []byte{'\n'}), nil
		case err == nil:
			return bytes.TrimSuffix(append(begun, part...), []byte{'\n'}), nil
		case errors.Is(err, bufio.ErrBufferFull):
			begun = append(slices.Grow(begun, len(part)), part...)
		case errors.Is(err, io.EOF) && len(begun)+len(part) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}
