package owner

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// lines reads text to its end, or to the first error.
func lines(r io.Reader, limit int) (lines []string, err error) {
	in := bufio.NewReaderSize(r, 16) // the smallest there is
	for {
		line, err := readLine(in, limit)
		if err != nil {
			return lines, err
		}
		lines = append(lines, string(line))
	}
}

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", 40)
	for _, tt := range []struct {
		name, text string
		want       []string
		err        error
	}{
		{"nothing", "", nil, io.EOF},
		{"two lines", "a\nb\n", []string{"a", "b"}, io.EOF},
		{"empty lines", "\n\n", []string{"", ""}, io.EOF},
		{"CR stays", "a\r\n", []string{"a\r"}, io.EOF},
		{"longer than the buffer", long + "\nb\n", []string{long, "b"}, io.EOF},
		{"as long as may be", strings.Repeat("x", 99) + "\nb\n", []string{strings.Repeat("x", 99), "b"}, io.EOF},
		{"one octet longer", strings.Repeat("x", 100) + "\nb\n", nil, errLong},
		{"without an end", strings.Repeat("x", 1000), nil, errLong},
		{"half a line", "a\nb", []string{"a"}, io.ErrUnexpectedEOF},
		{"half a line that fills the buffer", long[:16], nil, io.ErrUnexpectedEOF},
		{"half a long line", long, nil, io.ErrUnexpectedEOF},
	} {
		for _, r := range []io.Reader{strings.NewReader(tt.text), iotest.OneByteReader(strings.NewReader(tt.text))} {
			got, err := lines(r, 100)
			if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, tt.err) {
				t.Errorf("%s: %v, want %v\n%s", tt.name, err, tt.err, diff)
			}
		}
	}
}

func TestReadLineReturnsTheReadersError(t *testing.T) {
	broken := errors.New("broken")
	_, err := lines(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), 100)
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func FuzzReadLine(f *testing.F) {
	f.Add([]byte("{\"do\":\"poll\"}\n"), uint8(100))
	f.Add([]byte("a\n\nhalf"), uint8(3))
	f.Add(bytes.Repeat([]byte("x"), 50), uint8(49))
	f.Fuzz(func(t *testing.T, text []byte, limit uint8) {
		var want []string
		wantErr := io.EOF
		for rest := text; len(rest) > 0; {
			line, after, whole := bytes.Cut(rest, []byte("\n"))
			if length := len(rest) - len(after); length > int(limit) {
				wantErr = errLong
				break
			}
			if !whole {
				wantErr = io.ErrUnexpectedEOF
				break
			}
			want = append(want, string(line))
			rest = after
		}
		got, err := lines(bytes.NewReader(text), int(limit))
		if diff := cmp.Diff(want, got); diff != "" || !errors.Is(err, wantErr) {
			t.Errorf("%v, want %v\n%s", err, wantErr, diff)
		}
	})
}
