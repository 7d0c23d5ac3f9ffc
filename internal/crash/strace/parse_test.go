package strace

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var (
	quotes = regexp.MustCompile(`"[^"]*"`)
	paths  = regexp.MustCompile(`</[^<>]*[<>]`)
)

// hexed turns the strings and paths of a readable log into the escapes that strace writes.
func hexed(log string) string {
	escape := func(s string) string {
		var b strings.Builder
		b.WriteByte(s[0])
		for _, octet := range []byte(s[1 : len(s)-1]) {
			fmt.Fprintf(&b, `\x%02x`, octet)
		}
		b.WriteByte(s[len(s)-1])
		return b.String()
	}
	return paths.ReplaceAllStringFunc(quotes.ReplaceAllStringFunc(log, escape), escape)
}

func parse(t testing.TB, lines ...string) *Log {
	t.Helper()
	log, err := Parse(strings.NewReader(hexed(strings.Join(lines, "\n")+"\n")), "/start")
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func TestOneCallALine(t *testing.T) {
	tests := []struct {
		line string
		want Op
	}{
		{
			line: `openat(AT_FDCWD</w>, "d/f", O_RDWR|O_CREAT|O_CLOEXEC, 0640) = 3</w/d/f>`,
			want: Op{Call: "openat", Result: 3, FD: 3, Open: 1, Path: "/w/d/f", Flags: "O_RDWR|O_CREAT|O_CLOEXEC", Mode: 0o640, Offset: -1},
		},
		{
			line: `openat(7</w/d>, "f", O_RDONLY) = -1 ENOENT (No such file or directory)`,
			want: Op{Call: "openat", Result: -1, Errno: "ENOENT", FD: -1, Path: "/w/d/f", Flags: "O_RDONLY", Offset: -1},
		},
		{
			line: `openat(AT_FDCWD</w>, "/dev/null", O_WRONLY) = 3</dev/null<char 1:3>>`,
			want: Op{Call: "openat", Result: 3, FD: 3, Open: 1, Path: "/dev/null", Flags: "O_WRONLY", Offset: -1},
		},
		{
			line: `write(3</w/x(, >(deleted), "he\x22,(", 5) = 5`,
			want: Op{Call: "write", Result: 5, FD: 3, Path: "/w/x(, ", Length: 5, Offset: -1, Data: []byte(`he\x22,(`)},
		},
		{
			line: `write(3</w/f>, ""..., 5) = 5`,
			want: Op{Call: "write", Result: 5, FD: 3, Path: "/w/f", Length: 5, Offset: -1},
		},
		{
			line: `pwrite64(3</w/f>, "abc", 3, 4096) = -1 ENOSPC (No space left on device) (INJECTED)`,
			want: Op{Call: "pwrite64", Result: -1, Errno: "ENOSPC", FD: 3, Path: "/w/f", Length: 3, Offset: 4096, Data: []byte("abc")},
		},
		{
			line: `writev(3</w/f>, [{iov_base="aa", iov_len=2}, {iov_base="b", iov_len=1}], 2) = 3`,
			want: Op{Call: "writev", Result: 3, FD: 3, Path: "/w/f", Length: 3, Offset: -1, Data: []byte("aab")},
		},
		{
			line: `fallocate(3</w/f>, FALLOC_FL_KEEP_SIZE, 16, 100) = 0`,
			want: Op{Call: "fallocate", FD: 3, Path: "/w/f", Flags: "FALLOC_FL_KEEP_SIZE", Offset: 16, Length: 100},
		},
		{
			line: `mmap(NULL, 100, PROT_READ|PROT_WRITE, MAP_SHARED, 8</w/f>, 0x1000) = 0x7f5d4164c000`,
			want: Op{Call: "mmap", Result: 0x7f5d4164c000, FD: 8, Path: "/w/f", Flags: "PROT_READ|PROT_WRITE|MAP_SHARED", Length: 100, Offset: 4096},
		},
		{
			line: `renameat2(AT_FDCWD</w>, "a", 5</w/d>, "b", RENAME_NOREPLACE) = 0`,
			want: Op{Call: "renameat2", FD: -1, Path: "/w/a", To: "/w/d/b", Flags: "RENAME_NOREPLACE", Offset: -1},
		},
		{
			line: `rename("a", "/b/../c") = 0`,
			want: Op{Call: "rename", FD: -1, Path: "/start/a", To: "/c", Offset: -1},
		},
		{
			line: `symlinkat("to", AT_FDCWD</w>, "name") = 0`,
			want: Op{Call: "symlinkat", FD: -1, Path: "/w/name", Offset: -1},
		},
		{
			line: `sendto(6<TCP:[127.0.0.1:41000->127.0.0.1:110]>, "DELE 1", 6, 0, NULL, 0) = 6`,
			want: Op{
				Call: "sendto", Result: 6, FD: 6, Path: "TCP:[127.0.0.1:41000->127.0.0.1:110]",
				Length: 6, Offset: -1, Flags: "0", Data: []byte("DELE 1"),
			},
		},
		{
			line: `execve("/bin/sh", ["sh", "-c", "a(b"], 0x7fff83417d40 /* 38 vars */) = 0`,
			want: Op{Call: "execve", FD: -1, Path: "/bin/sh", Offset: -1},
		},
		{
			line: `exit_group(1) = ?`,
			want: Op{Call: "exit_group", Result: -1, FD: -1, Offset: -1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.want.Call, func(t *testing.T) {
			log := parse(t, "10 "+tt.line)
			tt.want.Process, tt.want.Thread, tt.want.Begin, tt.want.End = 10, 10, 1, 1
			if strings.HasSuffix(tt.line, "?") {
				tt.want.End = 0
			}
			if diff := cmp.Diff([]Op{tt.want}, log.Ops, cmpopts.IgnoreFields(Op{}, "Args")); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", tt.line, diff)
			}
		})
	}
}

// brief is what the tests below compare.
func brief(log *Log) []string {
	var all []string
	for _, o := range log.Ops {
		all = append(all, fmt.Sprintf("%d-%d %s by %d/%d: %s #%d at %d", o.Begin, o.End, o.Call, o.Process, o.Thread, o.Path, o.Open, o.Offset))
	}
	return all
}

func TestCallsAreJoinedAndFollowed(t *testing.T) {
	tests := []struct {
		name string
		log  []string
		want []string
	}{
		{
			name: "two threads, ordered by their ends",
			log: []string{
				`10 clone(child_stack=0x1, flags=CLONE_VM|CLONE_THREAD <unfinished ...>`,
				`11 openat(AT_FDCWD</w>, "a", O_RDWR|O_CREAT, 0600 <unfinished ...>`,
				`10 <... clone resumed>, tls=0x2) = 11`,
				`11 <... openat resumed>) = 3</w/a>`,
				`11 fsync(3</w/a> <unfinished ...>`,
				`10 write(3</w/a>, "xy", 2) = 2`,
				`11 <... fsync resumed>) = 0`,
			},
			want: []string{
				"1-3 clone by 10/10:  #0 at -1",
				"2-4 openat by 10/11: /w/a #1 at -1",
				"6-6 write by 10/10: /w/a #1 at 0",
				"5-7 fsync by 10/11: /w/a #1 at -1",
			},
		},
		{
			name: "a descriptor that is closed and opened again is another opening",
			log: []string{
				`10 openat(AT_FDCWD</w>, "a", O_RDONLY) = 3</w/a>`,
				`10 dup(3</w/a>) = 4</w/a>`,
				`10 close(3</w/a>) = 0`,
				`10 openat(AT_FDCWD</w>, "b", O_RDONLY) = 3</w/b>`,
				`10 fsync(3</w/b>) = 0`,
				`10 fcntl(4</w/a>, F_DUPFD_CLOEXEC, 0) = 5</w/a>`,
				`10 fsync(5</w/a>) = 0`,
			},
			want: []string{
				"1-1 openat by 10/10: /w/a #1 at -1",
				"2-2 dup by 10/10: /w/a #1 at -1",
				"3-3 close by 10/10: /w/a #1 at -1",
				"4-4 openat by 10/10: /w/b #2 at -1",
				"5-5 fsync by 10/10: /w/b #2 at -1",
				"6-6 fcntl by 10/10: /w/a #1 at -1",
				"7-7 fsync by 10/10: /w/a #1 at -1",
			},
		},
		{
			name: "writes follow the position, but for those that append",
			log: []string{
				`10 openat(AT_FDCWD</w>, "a", O_WRONLY) = 3</w/a>`,
				`10 write(3</w/a>, "abc", 3) = 2`,
				`10 write(3</w/a>, "c", 1) = 1`,
				`10 lseek(3</w/a>, 100, SEEK_SET) = 100`,
				`10 write(3</w/a>, "d", 1) = 1`,
				`10 openat(AT_FDCWD</w>, "b", O_WRONLY|O_APPEND) = 4</w/b>`,
				`10 write(4</w/b>, "d", 1) = 1`,
			},
			want: []string{
				"1-1 openat by 10/10: /w/a #1 at -1",
				"2-2 write by 10/10: /w/a #1 at 0",
				"3-3 write by 10/10: /w/a #1 at 2",
				"4-4 lseek by 10/10: /w/a #1 at -1",
				"5-5 write by 10/10: /w/a #1 at 100",
				"6-6 openat by 10/10: /w/b #2 at -1",
				"7-7 write by 10/10: /w/b #2 at -1",
			},
		},
		{
			name: "a child has what its parent had, and changes its own alone",
			log: []string{
				`10 openat(AT_FDCWD</w>, "a", O_WRONLY) = 3</w/a>`,
				`10 vfork( <unfinished ...>`,
				`12 chdir("/x") = 0`,
				`12 unlink("gone") = 0`,
				`12 close(3</w/a>) = 0`,
				`10 <... vfork resumed>) = 12`,
				`10 write(3</w/a>, "abc", 3) = 3`,
				`10 rmdir("d") = 0`,
			},
			want: []string{
				"1-1 openat by 10/10: /w/a #1 at -1",
				"3-3 chdir by 12/12: /x #0 at -1",
				"4-4 unlink by 12/12: /x/gone #0 at -1",
				"5-5 close by 12/12: /w/a #1 at -1",
				"2-6 vfork by 10/10:  #0 at -1",
				"7-7 write by 10/10: /w/a #1 at 0",
				"8-8 rmdir by 10/10: /start/d #0 at -1",
			},
		},
		{
			name: "what did not return comes last",
			log: []string{
				`10 pwrite64(3</w/a>, "abc", 3, 0 <unfinished ...>`,
				`11 fsync(4</w/b> <unfinished ...>`,
				`12 unlink("/w/c") = 0`,
				`11 <... fsync resumed> <unfinished ...>) = ?`,
				`10 +++ killed by SIGKILL +++`,
				`11 +++ killed by SIGKILL +++`,
			},
			want: []string{
				"3-3 unlink by 12/12: /w/c #0 at -1",
				"1-0 pwrite64 by 10/10: /w/a #0 at 0",
				"2-0 fsync by 11/11: /w/b #0 at -1",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, brief(parse(t, tt.log...))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestProcessEndsWithItsLastThread(t *testing.T) {
	log := parse(t,
		`10 clone(child_stack=0x1, flags=CLONE_VM|CLONE_THREAD) = 11`,
		`10 clone(child_stack=NULL, flags=SIGCHLD) = 12`,
		`11 +++ exited with 0 +++`,
		`12 +++ exited with 75 +++`,
		`10 +++ killed by SIGKILL +++`,
	)
	want := []Exit{{Process: 12, Line: 4, Status: 75}, {Process: 10, Line: 5, Signal: "SIGKILL"}}
	if diff := cmp.Diff(want, log.Exits); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWhatIsNoLogIsRefused(t *testing.T) {
	for _, line := range []string{
		"no number",
		"10 neither a call nor an exit",
		"10 <... fsync resumed>) = 0",
		"10 fsync(3",
		"10 fsync(3)",
		"10 fsync(three) = 0",
		`10 unlink("\x4") = 0`,
	} {
		if log, err := Parse(strings.NewReader(line+"\n"), "/"); err == nil {
			t.Errorf("%q is taken for %+v", line, log.Ops)
		}
	}
}

func TestHalfALastLineIsPassedOver(t *testing.T) {
	log, err := Parse(strings.NewReader("10 fsync(3) = 0\n10 fsy"), "/")
	if err != nil || len(log.Ops) != 1 {
		t.Errorf("%v, %v", log, err)
	}
}
