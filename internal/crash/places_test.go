package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlacesAreFound(t *testing.T) {
	const commands = "CAPA\r\nUIDL\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n"
	const answers = "+OK\r\n" + // 0
		"+OK\r\nTOP\r\n.\r\n" + // 5
		"+OK\r\n1 a\r\n.\r\n" + // 18
		"+OK\r\nS:\r\n\r\n..\r\n.\r\n" + // 31
		"+OK\r\n" + // 49
		"+OK\r\n" // 54
	all, err := findPlaces([]byte(commands), []byte(answers))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]int64{
		"in a status line": {1, 2, 3, 4, 6, 7, 8, 9, 19, 20, 21, 22, 32, 33, 34, 35, 50, 51, 52, 53},
		"in a listing":     {11, 12, 13, 14, 24, 25, 26, 27},
		"in a header":      {37, 38, 39},
		"in a body":        {41, 43, 44, 45},
		"in a stuffed dot": {43},
		"at the last dot":  {16, 17, 29, 30, 47, 48},
		"between messages": {49},
		"in QUIT's answer": {55, 56, 57, 58},
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, short := range []string{answers[:50], answers + "+OK\r\n"} {
		if _, err := findPlaces([]byte(commands), []byte(short)); err == nil {
			t.Errorf("%q is understood", short)
		}
	}
}
