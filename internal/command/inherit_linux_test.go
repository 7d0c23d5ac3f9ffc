package command

import (
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// D8: as the first process of a container popsync inherits what an agent leaves behind. The dead are
// waited for, and hold nobody up.
func TestInheritedChildrenAreWaitedFor(t *testing.T) {
	inherit := func(yes uintptr) {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, yes, 0, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	inherit(1)
	defer inherit(0)
	if _, err := within(t, grace-time.Second, sh("sleep 0.2 & sleep 0.3 & exit 0")); err != nil {
		t.Error(err)
	}
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
		t.Errorf("a child is left: %d, %v", pid, err)
	}
}
