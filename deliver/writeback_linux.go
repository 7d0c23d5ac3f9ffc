package deliver

import (
	"errors"

	"golang.org/x/sys/unix"
)

// startWriteback has the kernel begin to write n octets from at, 0 for all that follow, and does not
// wait for it. It makes nothing durable; but of files that are under way together the first fsync finds
// the others' work done.
//
// Its error is one of writing, which the fsync might not hear of any more. Where there is no such call,
// or it is not allowed, the fsync does it all.
func (f file) startWriteback(at, n int64) error {
	err := unix.SyncFileRange(int(f), at, n, unix.SYNC_FILE_RANGE_WRITE)
	for _, harmless := range []error{unix.ENOSYS, unix.EINVAL, unix.ESPIPE, unix.EPERM, unix.EINTR} {
		if errors.Is(err, harmless) {
			return nil
		}
	}
	return err
}
