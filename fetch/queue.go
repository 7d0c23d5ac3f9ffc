package fetch

import (
	"cmp"
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
}

// A queue says whose turn it is: jobs that are due, in the order of their due times, as many at
// once as the limits allow. A host that is at its limit holds up nobody else.
type queue struct {
	max, maxPerHost int
	waiting         []job // by due
	running         int
	onHost          map[string]int
}

func newQueue(maxParallel, maxPerHost int) *queue {
	return &queue{max: cmp.Or(maxParallel, 16), maxPerHost: cmp.Or(maxPerHost, 4), onHost: make(map[string]int)}
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
	if q.running == q.max {
		return job{}, false
	}
	for i, j := range q.waiting {
		if j.due.After(now) {
			break
		}
		if q.onHost[j.host] < q.maxPerHost && !(j.alone && q.onHost[j.host] > 0) {
			q.waiting = slices.Delete(q.waiting, i, i+1)
			q.running++
			q.onHost[j.host]++
			return j, true
		}
	}
	return job{}, false
}

// finish gives back the place of a job that was started.
func (q *queue) finish(j job) {
	q.running--
	if q.onHost[j.host]--; q.onHost[j.host] == 0 {
		delete(q.onHost, j.host)
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
		job   // as it comes again
		again bool
	}
	ended := make(chan end)
	for {
		now := time.Now()
		for ctx.Err() == nil {
			j, ok := q.start(now)
			if !ok {
				break
			}
			go func() {
				next, again := poll(j)
				ended <- end{next, again}
			}()
		}
		if q.running == 0 && (ctx.Err() != nil || len(q.waiting) == 0) {
			return
		}
		var alarm <-chan time.Time
		if wait, ok := q.idle(now); ok {
			alarm = time.After(wait)
		}
		stopped := ctx.Done()
		if ctx.Err() != nil {
			alarm, stopped = nil, nil
		}
		select {
		case e := <-ended:
			q.finish(e.job)
			if e.again {
				q.add(e.job)
			}
		case <-alarm:
		case <-stopped:
		}
	}
}
