package secret

import "golang.org/x/sys/unix"

// What was typed before the question is no answer to it: the F drops it.
const getTermios, setTermios = unix.TCGETS, unix.TCSETSF
