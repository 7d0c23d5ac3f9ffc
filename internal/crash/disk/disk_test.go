package disk

import (
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"popsync/internal/crash/strace"
)

const root = "/disk"

// A doing is one call of a log, on names below the root.
type doing func(*script)

// A script is a log that is written by hand.
type script struct {
	ops     []strace.Op
	line    int
	opening int
}

func (s *script) call(op strace.Op) {
	s.line++
	op.Begin = s.line
	s.line++
	op.End = s.line
	s.ops = append(s.ops, op)
}

func (s *script) open(name, flags string) int {
	s.opening++
	s.call(strace.Op{Call: "openat", Open: s.opening, Path: root + "/" + name, Flags: flags, Mode: 0o600})
	return s.opening
}

// store creates a file, or writes into one, at an offset.
func store(name string, offset int64, text string) doing {
	return func(s *script) {
		opening := s.open(name, "O_WRONLY|O_CREAT")
		s.call(strace.Op{
			Call: "pwrite64", Open: opening, Path: root + "/" + name,
			Offset: offset, Length: int64(len(text)), Data: []byte(text), Result: int64(len(text)),
		})
	}
}

func truncate(name string, size int64) doing {
	return func(s *script) {
		s.call(strace.Op{Call: "ftruncate", Open: s.open(name, "O_WRONLY"), Path: root + "/" + name, Length: size})
	}
}

func fsync(name string) doing {
	return func(s *script) {
		s.call(strace.Op{Call: "fsync", Open: s.open(name, "O_RDONLY"), Path: root + "/" + name})
	}
}

func rename(from, to string) doing {
	return func(s *script) {
		s.call(strace.Op{Call: "renameat2", Path: root + "/" + from, To: root + "/" + to, Flags: "RENAME_NOREPLACE"})
	}
}

func link(from, to string) doing {
	return func(s *script) { s.call(strace.Op{Call: "linkat", Path: root + "/" + from, To: root + "/" + to}) }
}

func unlink(name string) doing {
	return func(s *script) { s.call(strace.Op{Call: "unlinkat", Path: root + "/" + name}) }
}

func mkdir(name string) doing {
	return func(s *script) { s.call(strace.Op{Call: "mkdirat", Path: root + "/" + name, Mode: 0o700}) }
}

// replayed is a disk on which doings were done, in the end.
func replayed(t testing.TB, before Tree, renames Renames, doings ...doing) *Disk {
	t.Helper()
	s := &script{}
	for _, do := range doings {
		do(s)
	}
	d := New(before, renames)
	finish(t, d.Replay(root, s.ops, nil))
	return d
}

func finish(t testing.TB, r *Replay) {
	t.Helper()
	for {
		_, ok, err := r.Step()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return
		}
	}
}

// A shape is a tree as a table has it: paths of folders end in a slash, others have their content.
type shape map[string]string

func (s shape) tree() Tree {
	t := make(Tree)
	for name, text := range s {
		if folder, ok := cutSlash(name); ok {
			t[folder] = Entry{Mode: fs.ModeDir | 0o700}
			continue
		}
		t[name] = Entry{Mode: 0o600, Data: []byte(text)}
	}
	return t
}

func cutSlash(name string) (string, bool) {
	if name[len(name)-1] == '/' {
		return name[:len(name)-1], true
	}
	return name, false
}

func shapeOf(t Tree) shape {
	s := make(shape)
	for name, e := range t {
		if e.Mode.IsDir() {
			name += "/"
		}
		s[name] = string(e.Data)
	}
	return s
}

// survivors are all the trees that come up in many draws, by what is in them.
func survivors(d *Disk) []shape {
	r := rand.New(rand.NewPCG(1, 2))
	found := make(map[[32]byte]shape)
	for range 2000 {
		t := d.Survivor(r, Chance(r))
		found[t.Sum()] = shapeOf(t)
	}
	var all []shape
	for _, sum := range slices.SortedFunc(maps.Keys(found), func(a, b [32]byte) int { return slices.Compare(a[:], b[:]) }) {
		all = append(all, found[sum])
	}
	return all
}

func TestWhatSurvives(t *testing.T) {
	maildir := shape{"tmp/": "", "new/": ""}
	staged := shape{"tmp/": "", "new/": "", "tmp/a": "mail"}
	shown := shape{"tmp/": "", "new/": "", "new/a": "mail"}
	both := shape{"tmp/": "", "new/": "", "tmp/a": "mail", "new/a": "mail"}
	empty := shape{"tmp/": "", "new/": "", "tmp/a": ""}
	zeros := shape{"tmp/": "", "new/": "", "tmp/a": "\x00\x00\x00\x00"}
	tests := map[string]struct {
		before  shape
		renames Renames
		do      []doing
		want    []shape
	}{
		"a file that was not synced is there or not, whole, empty or full of zeros": {
			maildir, Whole,
			[]doing{store("tmp/a", 0, "mail")},
			[]shape{maildir, staged, empty, zeros},
		},
		"one whose folder was synced has any content": {
			maildir, Whole,
			[]doing{store("tmp/a", 0, "mail"), fsync("tmp")},
			[]shape{staged, empty, zeros},
		},
		"one that was synced itself has no name": {
			maildir, Whole,
			[]doing{store("tmp/a", 0, "mail"), fsync("tmp/a")},
			[]shape{maildir, staged},
		},
		"with both it is there": {
			maildir, Whole,
			[]doing{store("tmp/a", 0, "mail"), fsync("tmp/a"), fsync("tmp")},
			[]shape{staged},
		},
		"a folder's fsync does not reach the folder's own name": {
			shape{},
			Whole,
			[]doing{mkdir("tmp"), store("tmp/a", 0, "mail"), fsync("tmp/a"), fsync("tmp")},
			[]shape{{}, {"tmp/": "", "tmp/a": "mail"}},
		},
		"a rename is done or not": {
			staged, Whole,
			[]doing{rename("tmp/a", "new/a")},
			[]shape{staged, shown},
		},
		"the fsync of either folder makes a whole rename durable": {
			staged, Whole,
			[]doing{rename("tmp/a", "new/a"), fsync("tmp")},
			[]shape{shown},
		},
		"... with all that led to it": {
			maildir, Whole,
			[]doing{store("tmp/a", 0, "mail"), fsync("tmp/a"), rename("tmp/a", "new/a"), fsync("new")},
			[]shape{shown},
		},
		"half a rename leaves two names": {
			staged, Halves,
			[]doing{rename("tmp/a", "new/a")},
			[]shape{staged, shown, both},
		},
		"with the fsync of the folder that it left a file is lost": {
			staged, Halves,
			[]doing{rename("tmp/a", "new/a"), fsync("tmp")},
			[]shape{maildir, shown},
		},
		"with that of the other one it is not": {
			staged, Halves,
			[]doing{rename("tmp/a", "new/a"), fsync("new")},
			[]shape{both, shown},
		},
		"a file that took another one's place": {
			shape{"a": "old", "b": "new"},
			Whole,
			[]doing{rename("b", "a")},
			[]shape{{"a": "old", "b": "new"}, {"a": "new"}},
		},
		"a file that was removed comes back": {
			staged, Whole,
			[]doing{unlink("tmp/a")},
			[]shape{staged, maildir},
		},
		"... not after an fsync": {
			staged, Whole,
			[]doing{unlink("tmp/a"), fsync("tmp")},
			[]shape{maildir},
		},
		"changes of one name keep their order": {
			maildir, Whole,
			[]doing{store("tmp/a", 0, "mail"), fsync("tmp/a"), rename("tmp/a", "tmp/b"), unlink("tmp/b")},
			[]shape{maildir, staged, {"tmp/": "", "new/": "", "tmp/b": "mail"}},
		},
		"two names are one file": {
			shape{"a": "old!"},
			Whole,
			[]doing{link("a", "b"), fsync("."), store("a", 0, "news")},
			[]shape{{"a": "old!", "b": "old!"}, {"a": "news", "b": "news"}},
		},
		"writes survive in any order": {
			shape{"a": "....", "b": "...."},
			Whole,
			[]doing{store("a", 0, "1"), store("a", 3, "2"), store("b", 1, "3")},
			[]shape{
				{"a": "....", "b": "...."},
				{"a": "1...", "b": "...."},
				{"a": "...2", "b": "...."},
				{"a": "1..2", "b": "...."},
				{"a": "....", "b": ".3.."},
				{"a": "1...", "b": ".3.."},
				{"a": "...2", "b": ".3.."},
				{"a": "1..2", "b": ".3.."},
			},
		},
		"a size may be old while the bytes are new": {
			shape{"a": "12"},
			Whole,
			[]doing{store("a", 1, "34")},
			[]shape{{"a": "12"}, {"a": "13"}, {"a": "12\x00"}, {"a": "134"}},
		},
		"a file that was cut short": {
			shape{"a": "1234"},
			Whole,
			[]doing{truncate("a", 2)},
			[]shape{{"a": "1234"}, {"a": "12"}, {"a": "12\x00\x00"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := survivors(replayed(t, test.before.tree(), test.renames, test.do...))
			want := make(map[[32]byte]shape)
			for _, s := range test.want {
				want[s.tree().Sum()] = s
			}
			for _, s := range got {
				sum := s.tree().Sum()
				if want[sum] == nil {
					t.Errorf("survives: %q", s)
				}
				delete(want, sum)
			}
			for _, s := range want {
				t.Errorf("never came up: %q", s)
			}
		})
	}
}

// A write is torn where sectors or pages end, never within one.
func TestWritesAreTornAtBlocks(t *testing.T) {
	const size = 3 * page
	old, news := make([]byte, size), make([]byte, size-100)
	for i := range old {
		old[i] = 'o'
	}
	for i := range news {
		news[i] = 'n'
	}
	d := replayed(t, Tree{"a": {Data: old}}, Whole, store("a", 100, string(news)))
	r := rand.New(rand.NewPCG(1, 2))
	torn := make(map[int]bool) // the length of each piece
	for range 500 {
		b := d.Survivor(r, Fate{Bytes: Some})["a"].Data
		for at := sector; at < size; at += sector {
			if b[at] != b[at-1] {
				torn[at%page] = true
			}
			if slices.Compact(slices.Clone(b[at : at+sector]))[0] != b[at+sector-1] {
				t.Fatalf("torn within the sector at %d", at)
			}
		}
		if string(b[:100]) != string(old[:100]) {
			t.Fatal("more was written than was asked for")
		}
	}
	if !torn[0] || !torn[sector] {
		t.Errorf("torn at %v of a page, want page and sector", torn)
	}
}

// The extremes are the disk as programs see it, and as it was made durable.
func TestExtremes(t *testing.T) {
	before := shape{"tmp/": "", "a": "old"}
	d := replayed(t, before.tree(), Whole, store("a", 0, "new"), store("tmp/b", 0, "more"), rename("tmp/b", "c"))
	if diff := cmp.Diff(shape{"tmp/": "", "a": "new", "c": "more"}, shapeOf(d.Survivor(nil, Kept))); diff != "" {
		t.Error("kept (-want +got):\n", diff)
	}
	if diff := cmp.Diff(shapeOf(d.Tree()), shapeOf(d.Survivor(nil, Kept))); diff != "" {
		t.Error("as programs see it, and kept:\n", diff)
	}
	if diff := cmp.Diff(before, shapeOf(d.Survivor(nil, Lost))); diff != "" {
		t.Error("lost (-want +got):\n", diff)
	}
}

// What is written while an fsync is under way is not covered by it.
func TestFsyncCoversWhatCameBeforeIt(t *testing.T) {
	text := []byte("mail")
	file := strace.Op{Open: 1, Path: root + "/a"}
	during := func(call string, begin, end int, op strace.Op) strace.Op {
		op.Call, op.Begin, op.End = call, begin, end
		return op
	}
	writing := file
	writing.Data, writing.Result = text, int64(len(text))
	for name, test := range map[string]struct {
		ops     []strace.Op
		durable string
	}{
		"a write before it":             {[]strace.Op{during("pwrite64", 1, 2, writing), during("fsync", 3, 4, file)}, "mail"},
		"a write that had not returned": {[]strace.Op{during("fsync", 2, 4, file), during("pwrite64", 1, 3, writing)}, ""},
		"a write in between":            {[]strace.Op{during("pwrite64", 2, 3, writing), during("fsync", 1, 4, file)}, ""},
		"an fsync that never returned":  {[]strace.Op{during("pwrite64", 1, 2, writing), during("fsync", 3, 0, file)}, ""},
		"an fsync that failed":          {[]strace.Op{during("pwrite64", 1, 2, writing), failing(during("fsync", 3, 4, file))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := New(shape{"a": ""}.tree(), Whole)
			opened := strace.Op{Call: "openat", Open: 1, Path: root + "/a", Flags: "O_RDWR", Begin: -1, End: -1}
			finish(t, d.Replay(root, append([]strace.Op{opened}, test.ops...), nil))
			if got := string(d.Survivor(nil, Lost)["a"].Data); got != test.durable {
				t.Errorf("%q is durable, want %q", got, test.durable)
			}
		})
	}
}

// Nor is a rename that is under way when a folder's fsync begins.
func TestFolderFsyncCoversWhatCameBeforeIt(t *testing.T) {
	before := shape{"tmp/": "", "new/": "", "tmp/a": "mail"}
	for name, test := range map[string]struct {
		begin, end int
		durable    string
	}{
		"a rename before it":               {1, 2, "new/a"},
		"a rename that had not returned":   {1, 4, "tmp/a"},
		"a rename that began while it ran": {4, 5, "tmp/a"},
	} {
		t.Run(name, func(t *testing.T) {
			d := New(before.tree(), Whole)
			finish(t, d.Replay(root, []strace.Op{
				{Call: "openat", Open: 1, Path: root + "/new", Flags: "O_RDONLY", Begin: -1, End: -1},
				{Call: "rename", Path: root + "/tmp/a", To: root + "/new/a", Begin: test.begin, End: test.end},
				{Call: "fsync", Open: 1, Path: root + "/new", Begin: 3, End: 6},
			}, nil))
			if _, there := d.Survivor(nil, Lost)[test.durable]; !there {
				t.Errorf("%s is not durable", test.durable)
			}
		})
	}
}

// A folder that the log makes is the one that is really there.
func TestNewFoldersAreTheRealOnes(t *testing.T) {
	s := &script{}
	mkdir("Maildir")(s)
	d := New(nil, Whole)
	finish(t, d.Replay(root, s.ops, Tree{"Maildir": {Mode: fs.ModeDir, Inode: 7}}))
	if got := d.Survivor(nil, Kept)["Maildir"].Inode; got != 7 {
		t.Errorf("its inode is %d, want 7", got)
	}
}

func failing(op strace.Op) strace.Op {
	op.Errno, op.Result = "EIO", -1
	return op
}

// What a killed process had done stays in memory and is not durable, until somebody syncs it.
func TestKillLosesNothingAndMakesNothingDurable(t *testing.T) {
	before := shape{"a": "", "b": ""}
	d := New(before.tree(), Whole)
	s := &script{}
	store("a", 0, "mail")(s)
	s.ops[len(s.ops)-1].End = 0 // killed within
	rename("b", "c")(s)
	s.ops[len(s.ops)-1].End = 0 // another thread
	finish(t, d.Replay(root, s.ops, nil))
	d.Land()
	after := shape{"a": "mail", "c": ""}
	if diff := cmp.Diff(after, shapeOf(d.Tree())); diff != "" {
		t.Errorf("after the kill (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, shapeOf(d.Survivor(nil, Lost))); diff != "" {
		t.Errorf("durable after the kill (-want +got):\n%s", diff)
	}
	next := &script{}
	fsync("a")(next)
	fsync(".")(next)
	finish(t, d.Replay(root, next.ops, nil))
	if diff := cmp.Diff(after, shapeOf(d.Survivor(nil, Lost))); diff != "" {
		t.Errorf("durable after the next fsync (-want +got):\n%s", diff)
	}
}

// Openings and writes of every kind end in the same file as in the kernel.
func TestCallsThatChangeFiles(t *testing.T) {
	opened := func(flags string) strace.Op {
		return strace.Op{Call: "openat", Open: 1, Path: root + "/a", Flags: flags, Mode: 0o600, End: 1}
	}
	file := strace.Op{Open: 1, Path: root + "/a", End: 1}
	written := func(call string, offset int64, text string, result int64) strace.Op {
		op := file
		op.Call, op.Offset, op.Data, op.Result = call, offset, []byte(text), result
		return op
	}
	sized := func(call, flags string, offset, length int64) strace.Op {
		op := file
		op.Call, op.Flags, op.Offset, op.Length = call, flags, offset, length
		return op
	}
	for name, test := range map[string]struct {
		ops  []strace.Op
		want shape
	}{
		"appended":                   {[]strace.Op{opened("O_WRONLY|O_APPEND"), written("write", -1, "mail", 4)}, shape{"a": "old mail"}},
		"cut short by the kernel":    {[]strace.Op{opened("O_WRONLY"), written("write", 0, "new mail", 3)}, shape{"a": "new "}},
		"in parts":                   {[]strace.Op{opened("O_WRONLY"), written("pwritev", 1, "mail", 4)}, shape{"a": "omail"}},
		"emptied at opening":         {[]strace.Op{opened("O_WRONLY|O_TRUNC")}, shape{"a": ""}},
		"made larger":                {[]strace.Op{opened("O_WRONLY"), sized("ftruncate", "", 0, 6)}, shape{"a": "old \x00\x00"}},
		"allocated":                  {[]strace.Op{opened("O_WRONLY"), sized("fallocate", "0", 2, 3)}, shape{"a": "old \x00"}},
		"allocated within":           {[]strace.Op{opened("O_WRONLY"), sized("fallocate", "0", 0, 1)}, shape{"a": "old "}},
		"resized by name":            {[]strace.Op{{Call: "truncate", Path: root + "/a", Length: 1, End: 1}}, shape{"a": "o"}},
		"without a name":             {[]strace.Op{{Call: "openat", Open: 1, Path: root, Flags: "O_RDWR|O_TMPFILE", End: 1}, written("write", 0, "mail", 4)}, shape{"a": "old "}},
		"refused":                    {[]strace.Op{opened("O_WRONLY"), failing(written("write", 0, "mail", 4))}, shape{"a": "old "}},
		"to another file":            {[]strace.Op{{Call: "openat", Open: 1, Path: "/elsewhere", Flags: "O_WRONLY", End: 1}, {Call: "write", Open: 1, Path: "/elsewhere", Data: []byte("x"), Result: 1, End: 1}}, shape{"a": "old "}},
		"a socket that is bound":     {[]strace.Op{{Call: "bind", Path: "UNIX-STREAM:[1]", Args: `3<UNIX-STREAM:[1]>, {sa_family=AF_UNIX, sun_path="\x2fdisk\x2fs"}, 110`, End: 1}}, shape{"a": "old ", "s": ""}},
		"a socket without a name":    {[]strace.Op{{Call: "bind", Path: "TCP:[2]", Args: `3<TCP:[2]>, {sa_family=AF_INET, sin_port=htons(0)}, 16`, End: 1}}, shape{"a": "old "}},
		"a folder that goes":         {[]strace.Op{{Call: "mkdir", Path: root + "/d", End: 1}, {Call: "rmdir", Path: root + "/d", End: 1}}, shape{"a": "old "}},
		"another mode is no content": {[]strace.Op{{Call: "fchmodat", Path: root + "/a", Mode: 0o644, End: 1}}, shape{"a": "old "}},
	} {
		t.Run(name, func(t *testing.T) {
			d := New(shape{"a": "old "}.tree(), Whole)
			finish(t, d.Replay(root, test.ops, nil))
			if diff := cmp.Diff(test.want, shapeOf(d.Tree())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A call that the model does not know must not pass for one that does nothing.
func TestUnknownCallsAreErrors(t *testing.T) {
	for name, op := range map[string]strace.Op{
		"a symbolic link":     {Call: "symlinkat", Path: root + "/a"},
		"a shared mapping":    {Call: "mmap", Path: root + "/a", Flags: "PROT_READ|PROT_WRITE|MAP_SHARED"},
		"syncfs":              {Call: "syncfs", Path: root + "/a"},
		"an exchange":         {Call: "renameat2", Path: root + "/a", To: root + "/b", Flags: "RENAME_EXCHANGE"},
		"a way out":           {Call: "rename", Path: root + "/a", To: "/elsewhere"},
		"an unknown opening":  {Call: "write", Open: 7, Path: root + "/a", Data: []byte("x"), Result: 1, End: 2},
		"a file from nowhere": {Call: "rename", Path: root + "/c", To: root + "/d"},
	} {
		t.Run(name, func(t *testing.T) {
			run := New(shape{"a": ""}.tree(), Whole).Replay(root, []strace.Op{op}, nil)
			if _, ok, err := run.Step(); ok || err == nil {
				t.Errorf("%v, %v", ok, err)
			}
		})
	}
}

// Check tells when something was done to the real folder that no call of the log shows.
func TestCheckSeesWhatTheLogDoesNotShow(t *testing.T) {
	s := &script{}
	store("a", 0, "mail")(s)
	for name, test := range map[string]struct {
		after shape
		good  bool
	}{
		"the same":      {shape{"a": "mail"}, true},
		"another file":  {shape{"a": "mail", "b": ""}, false},
		"no file":       {shape{}, false},
		"other content": {shape{"a": "Mail"}, false},
		"a folder":      {shape{"a/": ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			run := New(nil, Whole).Replay(root, s.ops, test.after.tree())
			finish(t, run)
			if err := run.Check(); (err == nil) != test.good {
				t.Error(err)
			}
		})
	}
}
