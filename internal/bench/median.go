package main

import (
	"cmp"
	"slices"
	"time"
)

// A result is what came of a contender in a row.
type result struct {
	Row       string   `json:"row"`
	Contender string   `json:"contender"`
	Accounts  int      `json:"accounts,omitempty"`
	Samples   []sample `json:"samples,omitempty"`
	Err       string   `json:"error,omitempty"`
}

// A measure is one figure of a run.
type measure func(sample) float64

func wall(s sample) float64 { return s.Wall.Seconds() }
func cpu(s sample) float64  { return s.CPU.Seconds() }
func peak(s sample) float64 { return float64(s.Peak) / 1e6 } // MB

// good is whether there is a figure at all.
func (r result) good() bool { return r.Err == "" && len(r.Samples) > 0 }

// median is that of one figure; 0 where there is none.
func (r result) median(of measure) float64 {
	all := r.sorted(of)
	if len(all) == 0 {
		return 0
	}
	middle := len(all) / 2
	if len(all)%2 == 1 {
		return all[middle]
	}
	return (all[middle-1] + all[middle]) / 2
}

// most is the largest of one figure.
func (r result) most(of measure) float64 {
	all := r.sorted(of)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1]
}

func (r result) sorted(of measure) []float64 {
	var all []float64
	for _, s := range r.Samples {
		all = append(all, of(s))
	}
	slices.SortFunc(all, cmp.Compare[float64])
	return all
}

// seconds is a number of them as a duration, for people: three digits.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second / 10).String()
	case d >= time.Second:
		return d.Round(time.Second / 100).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond / 10).String()
	}
	return d.Round(time.Millisecond / 100).String()
}
