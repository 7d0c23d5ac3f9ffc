package strace

import (
	"path/filepath"
	"strings"
)

// arguments says what each of a call's arguments is. "-" is one that no field of an [Op] has.
//
//	fd      the descriptor           dir, path    a folder's descriptor and a name below it
//	data    octets                   todir, to    the same once more
//	vector  several of data          offset, length, flags, mode
var arguments = map[string]string{
	"open":      "path flags mode",
	"openat":    "dir path flags mode",
	"creat":     "path mode",
	"close":     "fd",
	"dup":       "fd",
	"dup2":      "fd -",
	"dup3":      "fd - flags",
	"fcntl":     "fd flags -",
	"lseek":     "fd - flags",
	"read":      "fd data length",
	"pread64":   "fd data length offset",
	"readv":     "fd vector -",
	"write":     "fd data length",
	"pwrite64":  "fd data length offset",
	"writev":    "fd vector -",
	"pwritev":   "fd vector - offset",
	"pwritev2":  "fd vector - offset - flags",
	"sendto":    "fd data length flags",
	"recvfrom":  "fd data length flags",
	"truncate":  "path length",
	"ftruncate": "fd length",
	"fallocate": "fd flags offset length",
	"mmap":      "- length flags flags fd offset",

	"fsync":           "fd",
	"fdatasync":       "fd",
	"syncfs":          "fd",
	"sync_file_range": "fd offset length flags",

	"rename":    "path to",
	"renameat":  "dir path todir to",
	"renameat2": "dir path todir to flags",
	"link":      "path to",
	"linkat":    "dir path todir to flags",
	"symlink":   "- path",
	"symlinkat": "- dir path",
	"unlink":    "path",
	"unlinkat":  "dir path flags",
	"mkdir":     "path mode",
	"mkdirat":   "dir path mode",
	"rmdir":     "path",
	"chmod":     "path mode",
	"fchmod":    "fd mode",
	"fchmodat":  "dir path mode",
	"flock":     "fd flags",
	"chdir":     "path",
	"fchdir":    "fd",

	// These have two descriptors; FD is the one that is written to.
	"copy_file_range": "- - fd - length flags",
	"sendfile":        "fd - - length",
	"splice":          "- - fd - length flags",

	"socket":   "-",
	"bind":     "fd",
	"listen":   "fd",
	"accept4":  "-",
	"connect":  "fd",
	"shutdown": "fd flags",

	"execve":     "path - -",
	"clone":      "",
	"clone3":     "",
	"fork":       "",
	"vfork":      "",
	"exit":       "-",
	"exit_group": "-",
	"kill":       "- flags",
	"tgkill":     "- - flags",
	"wait4":      "-",
	"waitid":     "-",
}

// fill sets the fields of o that the words of its call's arguments have.
func (o *Op) fill(args, cwd string) error {
	o.Args = args
	kinds, words := strings.Fields(arguments[o.Call]), split(args)
	folder := cwd
	for i, kind := range kinds[:min(len(kinds), len(words))] {
		if err := o.set(kind, words[i], &folder); err != nil {
			return err
		}
	}
	return nil
}

func (o *Op) set(kind, word string, folder *string) (err error) {
	var name []byte
	switch kind {
	case "fd":
		o.FD, o.Path, err = descriptor(word)
	case "dir", "todir":
		_, *folder, err = descriptor(word)
	case "path":
		name, err = quoted(word)
		o.Path = below(*folder, string(name))
	case "to":
		name, err = quoted(word)
		o.To = below(*folder, string(name))
	case "data":
		if !strings.HasSuffix(word, `"...`) { // all of it, not what --string-limit leaves
			o.Data, err = quoted(word)
		}
	case "vector":
		o.Data, o.Length, err = vector(word)
		if strings.Contains(word, `"...`) {
			o.Data = nil
		}
	case "offset":
		o.Offset = number(word)
	case "length":
		o.Length = number(word)
	case "flags":
		o.Flags = strings.TrimPrefix(o.Flags+"|"+word, "|")
	case "mode":
		o.Mode = uint32(number(word))
	}
	return err
}

// below is name as seen from folder. An empty one, with AT_EMPTY_PATH, is the folder itself.
func below(folder, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(folder, name)
}
