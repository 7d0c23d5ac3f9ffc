package fetch

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func testQueue(maxParallel, maxPerHost int) *queue {
	return &queue{places: newPlaces(maxParallel, maxPerHost), beside: func(job) beside { return nobody }}
}

// P1: as many at once as the limits allow; a host at its limit holds up nobody else.
func TestQueueKeepsToLimits(t *testing.T) {
	q := testQueue(3, 2)
	for i, host := range []string{"a", "a", "a", "b", "b"} {
		q.add(job{index: i, host: host})
	}
	var got []int
	take := func() {
		for j, ok := q.start(today); ok; j, ok = q.start(today) {
			got = append(got, j.index)
		}
	}
	take()
	q.finish(job{index: 0, host: "a"})
	take()
	q.finish(job{index: 3, host: "b"})
	take()
	if diff := cmp.Diff([]int{0, 1, 3, 2, 4}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestQueueOrdersByDueTime(t *testing.T) {
	q := testQueue(9, 9)
	for i, minutes := range []int{3, 1, 2, 1} {
		q.add(job{index: i, host: fmt.Sprint(i), due: today.Add(time.Duration(minutes) * time.Minute)})
	}
	if _, ok := q.start(today); ok {
		t.Error("a job starts before it is due")
	}
	if wait, _ := q.idle(today); wait != time.Minute {
		t.Errorf("idle for %v, not a minute", wait)
	}
	var got []int
	for j, ok := q.start(today.Add(time.Hour)); ok; j, ok = q.start(today.Add(time.Hour)) {
		got = append(got, j.index)
	}
	if diff := cmp.Diff([]int{1, 3, 2, 0}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// P1: the limits hold at every moment, every job runs once, and nothing is left running.
func TestDispatchRunsEachOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		hosts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 20).Draw(rt, "hosts")
		most, perHost := rapid.IntRange(1, 5).Draw(rt, "max_parallel"), rapid.IntRange(1, 3).Draw(rt, "max_per_host")
		synctest.Test(t, func(t *testing.T) {
			q := testQueue(most, perHost)
			for i, h := range hosts {
				q.add(job{index: i, host: h})
			}
			var mu sync.Mutex
			running := make(map[string]int)
			var all, done int
			dispatch(t.Context(), q, func(j job) (job, bool) {
				mu.Lock()
				running[j.host]++
				all++
				if running[j.host] > perHost || all > most {
					t.Errorf("%d at once, %d on %s", all, running[j.host], j.host)
				}
				mu.Unlock()
				time.Sleep(time.Duration(j.index%3+1) * time.Second)
				mu.Lock()
				defer mu.Unlock()
				running[j.host]--
				all--
				done++
				return j, false
			})
			if done != len(hosts) {
				t.Errorf("%d of %d jobs ran", done, len(hosts))
			}
		})
	})
}

// P4: once the context ends nothing new begins, and what runs is waited for.
func TestDispatchEndsCleanly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		q := testQueue(1, 1)
		for i := range 3 {
			q.add(job{index: i, host: "a"})
		}
		var ran []int
		dispatch(ctx, q, func(j job) (job, bool) {
			ran = append(ran, j.index)
			cancel()
			time.Sleep(time.Second)
			j.due = time.Now()
			return j, true
		})
		if !slices.Equal(ran, []int{0}) {
			t.Errorf("ran %v", ran)
		}
	})
}

// P4: a context that ends while jobs wait for somebody else ends the dispatch, at whatever moment.
func TestDispatchEndsWhileItWaits(t *testing.T) {
	for looks := range 10 {
		synctest.Test(t, func(t *testing.T) {
			q := testQueue(1, 1)
			q.beside = func(job) beside { return busy }
			q.add(job{host: "a"})
			c := &endingContext{Context: t.Context(), looks: looks, done: make(chan struct{})}
			time.AfterFunc(time.Second, c.end)
			dispatch(c, q, nil)
		})
	}
}

// An endingContext ends when its error is looked at once more than looks, or by end.
type endingContext struct {
	context.Context
	looks int
	ended sync.Once
	done  chan struct{}
}

func (c *endingContext) end()                  { c.ended.Do(func() { close(c.done) }) }
func (c *endingContext) Done() <-chan struct{} { return c.done }

func (c *endingContext) Err() error {
	if c.looks--; c.looks < 0 {
		c.end()
	}
	select {
	case <-c.done:
		return context.Canceled
	default:
		return nil
	}
}

// A9: an account whose log-in was refused is not asked beside its neighbours on the same host,
// and holds none of them up.
func TestRefusedAccountWaitsForItsNeighbours(t *testing.T) {
	q := testQueue(4, 4)
	q.add(job{index: 0, host: "a", due: today})
	q.add(job{index: 1, host: "a", due: today, alone: true})
	q.add(job{index: 2, host: "a", due: today})
	q.add(job{index: 3, host: "b", due: today, alone: true})
	var got []int
	for j, ok := q.start(today); ok; j, ok = q.start(today) {
		got = append(got, j.index)
	}
	if !slices.Equal(got, []int{0, 2, 3}) {
		t.Fatalf("started %v", got)
	}
	q.finish(job{host: "a"})
	if _, ok := q.start(today); ok {
		t.Error("it was started beside a neighbour")
	}
	q.finish(job{host: "a"})
	if j, ok := q.start(today); !ok || j.index != 1 {
		t.Errorf("it was not started alone: %v, %v", j, ok)
	}
}
