package secret

import (
	"io/fs"
	"syscall"
	"testing"
	"time"
)

// C3, for files of every owner: a table, because only root could make them.
func TestOwnerAndMode(t *testing.T) {
	const user, other = 1000, 1001
	for name, c := range map[string]struct {
		owner     int
		mode      fs.FileMode
		uid       int
		wantOwner string
		wantMode  string
	}{
		"one's own, closed":      {user, 0o600, user, "", ""},
		"one's own, read-only":   {user, 0o400, user, "", ""},
		"root's, closed":         {root, 0o600, user, "", ""},
		"root's, for its group":  {root, 0o640, user, "", ""},
		"root's own":             {root, 0o600, root, "", ""},
		"one's own, for a group": {user, 0o640, user, "", "holds a secret and its mode 0640 lets others at it; close it: chmod 600 f"},
		"one's own, for all":     {user, 0o644, user, "", "holds a secret and its mode 0644 lets others at it; close it: chmod 600 f"},
		"root's, for all":        {root, 0o644, user, "", "holds a secret and its mode 0644 lets others at it; close it: chmod 640 f"},
		"root's, for all, as root": {
			root, 0o644, root, "",
			"holds a secret and its mode 0644 lets others at it; close it: chmod 600 f",
		},
		"root's, changed by its group": {
			root, 0o660, user, "",
			"holds a secret and its mode 0660 lets others at it; close it: chmod 640 f",
		},
		"a stranger's": {
			other, 0o600, user,
			"belongs to uid 1001, neither to root nor to uid 1000 that popsync runs as; make it yours: chown 1000 f", "",
		},
		"a user's, as root": {
			user, 0o600, root,
			"belongs to uid 1000, neither to root nor to uid 0 that popsync runs as; make it yours: chown 0 f", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			info := file{c.owner, c.mode}
			if got := errorText(CheckOwner("f", info, c.uid)); got != c.wantOwner {
				t.Errorf("owner: %s\nwant:  %s", got, c.wantOwner)
			}
			if got := errorText(CheckMode("f", info, c.uid)); got != c.wantMode {
				t.Errorf("mode: %s\nwant: %s", got, c.wantMode)
			}
		})
	}
}

// A file is what fstat says of one.
type file struct {
	owner int
	mode  fs.FileMode
}

func (file) Name() string        { return "f" }
func (file) Size() int64         { return 0 }
func (f file) Mode() fs.FileMode { return f.mode }
func (file) ModTime() time.Time  { return time.Time{} }
func (file) IsDir() bool         { return false }
func (f file) Sys() any          { return &syscall.Stat_t{Uid: uint32(f.owner)} }
