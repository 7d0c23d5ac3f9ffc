package deliver

import (
	"encoding/binary"
	"hash/fnv"

	"golang.org/x/sys/unix"
)

// placeOf is 0 where it cannot be found out.
func placeOf(dir string) place {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir, 0, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		return 0
	}
	if st.Mask&unix.STATX_BTIME == 0 {
		st.Btime = unix.StatxTimestamp{}
	}
	h := fnv.New64a()
	binary.Write(h, binary.LittleEndian, []uint64{st.Ino, uint64(st.Btime.Sec), uint64(st.Btime.Nsec)})
	return place(h.Sum64())
}
