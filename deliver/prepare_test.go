package deliver

import (
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// ready waits until all that was to be prepared is.
func ready(s *staging) []spare {
	var all []spare
	for range cap(s.spares) {
		all = append(all, <-s.spares)
	}
	for _, sp := range all {
		s.spares <- sp
	}
	return all
}

// Messages go into the files that were created for them; what was not needed is gone in the end, and
// no descriptor of it is left.
func TestPreparedFilesAreUsed(t *testing.T) {
	before := kept.Load()
	m := faultyMaildir(t, &faulty{})
	tmp := filepath.Join(m.path, "tmp")
	done := m.Prepare(3)
	spares := ready(&m.tmp)
	batch := mustStage(t, m, "one\r\n", "two\r\n")
	for i, st := range batch {
		if st.Name != spares[i].name {
			t.Errorf("message %d is staged as %s, not as %s", i, st.Name, spares[i].name)
		}
	}
	wantCount(t, tmp, 3)
	done()
	wantCount(t, tmp, 2)
	more := mustStage(t, m, "three\r\n") // without any
	batch = append(batch, more...)
	mustSync(t, m, batch)
	mustPublish(t, m, batch)
	if err := m.Drop(batch); err != nil {
		t.Error(err)
	}
	wantCount(t, tmp, 0)
	wantCount(t, filepath.Join(m.path, "new"), 3)
	if got := kept.Load(); got != before {
		t.Errorf("%d descriptors are held, and %d before", got, before)
	}
}

// What fails while there is nothing to do fails again where somebody has to know.
func TestPreparingFailsWithoutAWord(t *testing.T) {
	before := kept.Load()
	m := faultyMaildir(t, &faulty{fail: failing(syscall.ENOSPC, "create tmp/", "fsync new/")})
	gates.Clear() // of folders of other tests, whose inodes are used again
	m.Prepare(10)()
	if got := kept.Load(); got != before {
		t.Errorf("%d descriptors are held, and %d before", got, before)
	}
	_, err := m.Stage(t.Context(), "uid", nil)
	wantError(t, err, IO, m.sub("tmp")+": no space left on device", syscall.ENOSPC)
	if err := m.syncTmp(); err == nil {
		t.Error("the first pass counts as done")
	}
}

// D2: an fsync that failed while nobody waited for it counts, although a second one would succeed.
func TestFailedFirstPassCounts(t *testing.T) {
	var once sync.Once
	m := faultyMaildir(t, &faulty{fail: func(call string) (err error) {
		if call == "fsync new/" {
			once.Do(func() { err = syscall.EIO })
		}
		return err
	}})
	gates.Clear()
	m.Prepare(1)()
	batch := mustStage(t, m, "mail\r\n")
	for _, err := range m.Sync(t.Context(), batch) {
		wantError(t, err, IO, m.sub("new")+": input/output error", syscall.EIO)
	}
}

// Files that wait for messages leave descriptors for messages.
func TestPreparedFilesLeaveDescriptors(t *testing.T) {
	defer func(before func() int64) { mayKeep = before }(mayKeep)
	held := kept.Load()
	mayKeep = func() int64 { return held + 6 }
	m := faultyMaildir(t, &faulty{})
	done := m.Prepare(100)
	defer done()
	batch := mustStage(t, m, "1", "2", "3", "4", "5", "6", "7", "8")
	if got := kept.Load() - held; got > 6 {
		t.Errorf("%d descriptors are held", got)
	}
	mustSync(t, m, batch)
}
