package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// took makes samples of so many milliseconds, with half of it as CPU and a MB for each.
func took(milliseconds ...int) []sample {
	var all []sample
	for _, n := range milliseconds {
		all = append(all, sample{Wall: time.Duration(n) * time.Millisecond, CPU: time.Duration(n) * time.Millisecond / 2, Peak: int64(n) * 1e6})
	}
	return all
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		of   []int
		want float64
	}{
		{nil, 0},
		{[]int{7}, 0.007},
		{[]int{9, 1, 2}, 0.002},
		{[]int{4, 1, 100, 2}, 0.003},
	} {
		r := result{Samples: took(test.of...)}
		if got := r.median(wall); got != test.want {
			t.Errorf("%v: %v, want %v", test.of, got, test.want)
		}
	}
	r := result{Samples: took(30, 10, 20)}
	if r.most(peak) != 30 || r.median(cpu) != 0.01 {
		t.Errorf("peak %v, CPU %v", r.most(peak), r.median(cpu))
	}
}

var someResults = []result{
	{Row: "small", Contender: "popsync", Samples: took(80, 100, 90)},
	{Row: "small", Contender: "mpop", Samples: took(200, 100, 180)},
	{Row: "small", Contender: "getmail", Samples: took(50), Err: "of 3 messages 1 are lost"},
	{Row: "small", Contender: "floor-write", Samples: took(45)},
	{Row: "many", Contender: "popsync", Accounts: 10, Samples: took(3000)},
	{Row: "many", Contender: arithmetic, Samples: took(2500)},
}

func TestTable(t *testing.T) {
	got := strings.Join([]string{tableHead, tableRow(someResults[:4]), tableRow(someResults[4:])}, "")
	want := "" +
		"| row        | contender   |  n | wall median (min–max)     | CPU     | peak MB | wall ÷ mpop | CPU ÷ mpop | wall ÷ floor |\n" +
		"| ---------- | ----------- | -: | ------------------------- | ------: | ------: | ----------: | ---------: | -----------: |\n" +
		"| small      | popsync     |  3 | 90ms (80ms–100ms)         |    45ms |   100.0 |       0.500 |      0.500 |        2.000 |\n" +
		"| small      | mpop        |  3 | 180ms (100ms–200ms)       |    90ms |   200.0 |       1.000 |      1.000 |        4.000 |\n" +
		"| small      | getmail     |  1 | failed                    |       – |       – |           – |          – |            – |\n" +
		"| small      | floor-write |  1 | 45ms (45ms–45ms)          |  22.5ms |    45.0 |       0.250 |      0.250 |        1.000 |\n" +
		"| many       | popsync     |  1 | 3s (3s–3s)                |    1.5s |  3000.0 |           – |          – |            – |\n" +
		"| many       | arithmetic  |  – | 2.5s                      |       – |       – |           – |          – |            – |\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTargets(t *testing.T) {
	got := targetTable([]target{
		{"small", "popsync", wall, "wall", "mpop", 0.5},
		{"small", "popsync", cpu, "CPU", "floor-write", 1.5},
		{"small", "popsync", wall, "wall", "getmail", 1},
		{"many", "popsync", wall, "wall", arithmetic, 1.02},
		{"many", "popsync", peak, "MB", "", 4000},
		{"kept", "popsync", wall, "wall", "mpop", 1},
	}, someResults)
	want := "" +
		"| row        | what                              | figure | at most | reached |\n" +
		"| ---------- | --------------------------------- | -----: | ------: | ------- |\n" +
		"| small      | popsync ÷ mpop (wall)             |  0.500 |     0.5 | yes     |\n" +
		"| small      | popsync ÷ floor-write (CPU)       |  2.000 |     1.5 | no      |\n" +
		"| small      | popsync ÷ getmail (wall)          |      – |       1 | not measured |\n" +
		"| many       | popsync ÷ arithmetic (wall)       |  1.200 |    1.02 | no      |\n" +
		"| many       | popsync (MB)                      | 3000.000 |    4000 | yes     |\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFailuresAreNamed(t *testing.T) {
	if err := failures(someResults); err == nil || err.Error() != "small: getmail: of 3 messages 1 are lost" {
		t.Errorf("got %v", err)
	}
	if err := failures(someResults[:2]); err != nil {
		t.Error(err)
	}
}

func TestPerAccount(t *testing.T) {
	if got, want := perAccount(someResults), "- many: popsync: 150ms of CPU for each of 10 accounts\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
