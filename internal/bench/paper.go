package main

import "time"

// Contenders that are calculated.
const (
	arithmetic = "arithmetic" // each wait takes a round-trip time, and nothing else takes any
	bareWaits  = "bare waits" // each wait takes what one does here, with the server's and the relay's own time
)

// onPaper is whether a contender is calculated.
func onPaper(contender string) bool { return contender == arithmetic || contender == bareWaits }

// calculate adds both to the row.
func (r *row) calculate() error {
	waits := time.Duration(r.waits(r.workload))
	turn, err := r.turn()
	if err != nil {
		return err
	}
	r.paper = []result{
		{Row: r.name, Contender: arithmetic, Samples: []sample{{Wall: waits * r.rtt}}},
		{Row: r.name, Contender: bareWaits, Samples: []sample{{Wall: waits * turn}}},
	}
	return nil
}

// turn is how long an answer takes on the row's line: the median of some to CAPA.
func (r *row) turn() (time.Duration, error) {
	w, err := dial(r.port(), "")
	if err != nil {
		return 0, err
	}
	defer w.conn.Close()
	if err := w.answers(1); err != nil { // the greeting
		return 0, err
	}
	var turns result
	for range 15 {
		begun := time.Now()
		w.send("CAPA\r\n")
		if err := w.multiline(nil); err != nil {
			return 0, err
		}
		turns.Samples = append(turns.Samples, sample{Wall: time.Since(begun)})
	}
	return time.Duration(turns.median(wall) * float64(time.Second)), w.sent()
}

// port is where the contenders connect.
func (r *row) port() int {
	if r.relay != nil {
		return r.relay.port()
	}
	return r.server.Port(r.line())
}
