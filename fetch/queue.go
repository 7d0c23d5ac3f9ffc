package fetch

import (
	"context"
	"slices"
	"time"
)

// A job is an account that is to be polled.
type job struct {
	index int // of the account
	host  string
	due   time.Time
	alone bool // not beside others on its host: a server that holds back its answers after a failure does so to all (A9)
	joins bool // a poll that runs, and takes no place of its own
}

// A beside is what another one does at the same mailbox.
type beside uint8

const (
	nobody   beside = iota
	joinable        // it polls, and has not logged in yet
	busy            // whatever it does, it is to be waited for
)

// A queue says whose turn it is: jobs that are due, in the order of their due times, as there are
// places. A host that has none left holds up nobody else.
type queue struct {
	places  *places
	beside  func(job) beside // what is under way at the job's mailbox
	waiting []job            // by due
	running int              // started from here
}

// add puts j behind those that are due at the same time.
func (q *queue) add(j job) {
	at, _ := slices.BinarySearchFunc(q.waiting, j, func(have, new job) int {
		if have.due.After(new.due) {
			return 1
		}
		return -1
	})
	q.waiting = slices.Insert(q.waiting, at, j)
}

// start takes the next job whose turn it is.
func (q *queue) start(now time.Time) (j job, ok bool) {
	for i, j := range q.waiting {
		if j.due.After(now) {
			break
		}
		if q.mayStart(&j) {
			q.waiting = slices.Delete(q.waiting, i, i+1)
			q.running++
			return j, true
		}
	}
	return job{}, false
}

// mayStart finds a place for j, or a poll that it joins.
func (q *queue) mayStart(j *job) bool {
	b := q.beside(*j)
	j.joins = b == joinable
	return j.joins || b == nobody && q.places.take(*j)
}

// finish gives back the place of a job that was started.
func (q *queue) finish(j job) {
	q.running--
	if !j.joins {
		q.places.give(j)
	}
}

// idle is how long nothing becomes due; jobs that wait for a place do not count.
func (q *queue) idle(now time.Time) (wait time.Duration, ok bool) {
	for _, j := range q.waiting {
		if wait := j.due.Sub(now); wait > 0 {
			return wait, true
		}
	}
	return 0, false
}

// dispatch starts jobs in goroutines of their own as their turn comes, until none is left or ctx
// ends, and waits for those that run. poll says when a job is due again, if ever.
func dispatch(ctx context.Context, q *queue, poll func(job) (next job, again bool)) {
	type end struct {
		job, next job
		again     bool
	}
	ended := make(chan end)
	for {
		now, free, over := time.Now(), q.places.free(), ctx.Err() != nil
		for !over {
			j, ok := q.start(now)
			if !ok {
				break
			}
			go func() {
				next, again := poll(j)
				ended <- end{j, next, again}
			}()
		}
		if q.running == 0 && (over || len(q.waiting) == 0) {
			return
		}
		var alarm <-chan time.Time
		if wait, ok := q.idle(now); ok {
			alarm = time.After(wait)
		}
		stopped := ctx.Done()
		if over {
			alarm, stopped, free = nil, nil, nil
		}
		select {
		case e := <-ended:
			q.finish(e.job)
			if e.again {
				q.add(e.next)
			}
		case <-free: // a place, or a mailbox
		case <-alarm:
		case <-stopped:
		}
	}
}
