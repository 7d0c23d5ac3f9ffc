package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"popsync/internal/crash/strace"
	"popsync/internal/realtest"
)

// An order is what a fetch with `keep: false` into a Maildir called, from which the steps of each
// message are read. Step b comes behind step a where b began once a had returned.
type order struct {
	ops     []strace.Op
	maildir string
	state   string // the file
}

// A commit is one of the state's: its pages written and synced, then its meta page written and synced.
type commit struct {
	begin, end int
	written    []byte
}

func (c commit) holds(what string) bool { return bytes.Contains(c.written, []byte(what)) }

// faults says which steps are missing, or come too early.
func (o order) faults(messages []realtest.Message) []string {
	commits, all := o.commits()
	uids := o.uids()
	quit := o.first(0, func(op strace.Op) bool { return o.sends(op, "QUIT\r\n") })
	if quit == nil {
		return append(all, "QUIT was not sent")
	}
	for i, m := range messages {
		s := steps{order: o, number: i + 1, uid: uids[i+1], commits: commits, quit: *quit}
		for _, fault := range s.faults(m) {
			all = append(all, fmt.Sprintf("message %d: %s", i+1, fault))
		}
	}
	return all
}

// commits are those of the state, in order. A meta page that is written before its pages were synced is a fault.
func (o order) commits() (all []commit, faults []string) {
	var now commit
	unsynced, meta := false, false
	for _, op := range o.ops {
		switch {
		case op.Path != o.state || !op.OK():
		case o.meta(op):
			if unsynced {
				faults = append(faults, "a meta page of the state was written before the pages that it leads to were synced")
			}
			meta = true
		case op.Call == "pwrite64":
			if now.begin == 0 {
				now.begin = op.Begin
			}
			now.written = append(now.written, op.Data...)
			unsynced = true
		case op.Call == "fdatasync" || op.Call == "fsync":
			unsynced = false
			if meta {
				now.end = op.End
				all = append(all, now)
				now, meta = commit{}, false
			}
		}
	}
	return all, faults
}

// numbered is a line of a listing.
var numbered = regexp.MustCompile(`(?m)^([0-9]+) ([\x21-\x7e]+)\r$`)

// uids are those of the messages, by number. UIDL comes before LIST, whose lines look the same.
func (o order) uids() map[int]string {
	var received []byte
	for _, op := range o.ops {
		if op.Call == "read" && strings.HasPrefix(op.Path, "TCP") {
			received = append(received, op.Done()...)
		}
	}
	uids := map[int]string{}
	for _, line := range numbered.FindAllSubmatch(received, -1) {
		number, _ := strconv.Atoi(string(line[1]))
		if uids[number] == "" {
			uids[number] = string(line[2])
		}
	}
	return uids
}

// first is the first call that began behind a place of the log and is meant; nil if there is none.
func (o order) first(behind int, meant func(strace.Op) bool) *strace.Op {
	i := slices.IndexFunc(o.ops, func(op strace.Op) bool { return op.Begin > behind && op.OK() && meant(op) })
	if i < 0 {
		return nil
	}
	return &o.ops[i]
}

// sends says whether a call sends a line that begins so.
func (o order) sends(op strace.Op, line string) bool {
	return op.Call == "write" && strings.HasPrefix(op.Path, "TCP") && bytes.Contains(append([]byte("\n"), op.Data...), []byte("\n"+line))
}

// steps are those of one message.
type steps struct {
	order
	number  int
	uid     string
	commits []commit
	quit    strace.Op
}

func (s steps) faults(m realtest.Message) (all []string) {
	tmp, written := s.staged(m)
	if tmp == "" {
		return []string{"no file in tmp/ was written with it"}
	}
	rename := s.first(0, func(op strace.Op) bool { return strings.HasPrefix(op.Call, "rename") && op.Path == tmp })
	dele := s.first(0, func(op strace.Op) bool { return s.sends(op, fmt.Sprintf("DELE %d\r\n", s.number)) })
	if rename == nil || dele == nil {
		return []string{"it was not renamed into new/, or DELE was not sent"}
	}
	need := func(good bool, fault string) {
		if !good {
			all = append(all, fault)
		}
	}
	need(filepath.Dir(rename.To) == filepath.Join(s.maildir, "new"), "it was not renamed into new/")

	file := s.synced(tmp, written, rename.Begin)
	folder := s.synced(filepath.Join(s.maildir, "tmp"), s.created(tmp), rename.Begin)
	need(file > 0, "its file was not synced between the last write and the rename")
	need(folder > 0, "tmp/ was not synced between its creation and the rename")
	need(s.committed(filepath.Base(tmp), max(file, folder), rename.Begin), "no intent was committed between the syncs of tmp/ and the rename")

	published := s.synced(filepath.Join(s.maildir, "new"), rename.End, dele.Begin)
	need(published > 0, "new/ was not synced between the rename and DELE")
	need(s.committed(s.uid+"\x00", max(published, rename.End), dele.Begin), "no delivery was committed between the sync of new/ and DELE")
	need(dele.Begin < s.quit.Begin || dele.Begin == s.quit.Begin && bytes.Index(dele.Data, []byte("DELE ")) < bytes.Index(dele.Data, []byte("QUIT")),
		"DELE comes behind QUIT")
	return all
}

// staged is the file in tmp/ that was written with the message, and where its last write returned.
func (s steps) staged(m realtest.Message) (path string, end int) {
	type file struct {
		data []byte
		end  int
	}
	files := map[string]file{}
	for _, op := range s.ops {
		if op.Call == "write" && op.OK() && filepath.Dir(op.Path) == filepath.Join(s.maildir, "tmp") {
			files[op.Path] = file{append(files[op.Path].data, op.Done()...), op.End}
		}
	}
	for path, f := range files {
		if sha256.Sum256(f.data) == m.Sum() {
			return path, f.end
		}
	}
	return "", 0
}

// created is where the call that made a file returned.
func (s steps) created(path string) int {
	op := s.first(0, func(op strace.Op) bool {
		return op.Call == "openat" && op.Path == path && strings.Contains(op.Flags, "O_CREAT")
	})
	if op == nil {
		return 0
	}
	return op.End
}

// synced is where the first sync of path between two places of the log returned, or 0.
func (s steps) synced(path string, behind, before int) int {
	op := s.first(behind, func(op strace.Op) bool {
		return (op.Call == "fsync" || op.Call == "fdatasync") && op.Path == path
	})
	if op == nil || op.End > before {
		return 0
	}
	return op.End
}

// committed says whether there is a commit between two places of the log that wrote what.
func (s steps) committed(what string, behind, before int) bool {
	return slices.ContainsFunc(s.commits, func(c commit) bool {
		return c.begin > behind && c.end < before && c.holds(what)
	})
}

// Item 2 of issue 5.
func TestEveryStepIsDurableBeforeTheNext(t *testing.T) {
	tests := []struct {
		name  string
		start func(t *testing.T) mailServer
	}{
		{"poptest", func(t *testing.T) mailServer { return startedPop(t, scene{pipelined: true}) }},
		{"poptest without PIPELINING", func(t *testing.T) mailServer { return startedPop(t, scene{}) }},
		{"Dovecot", startedDovecot},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log, messages := recordOrder(t, tt.start(t))
			for _, fault := range log.faults(messages) {
				t.Error(fault)
			}
			if faults := log.flat().faults(messages); len(faults) > 0 {
				t.Fatalf("the log without what happens at once: %s", faults)
			}
			for _, m := range mutations {
				if faults := m.apply(log.flat()).faults(messages); len(faults) == 0 {
					t.Errorf("nobody notices %s", m.name)
				}
			}
		})
	}
}

func startedPop(t *testing.T, s scene) mailServer {
	t.Helper()
	pop, err := startPop(s.server(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pop.Close)
	return pop
}

func startedDovecot(t *testing.T) mailServer {
	t.Helper()
	realtest.Need(t, "dovecot")
	server, err := realtest.StartDovecot("user")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// recordOrder fetches some messages under strace, and says which.
func recordOrder(t *testing.T, server mailServer) (order, []realtest.Message) {
	t.Helper()
	realtest.Need(t, "strace")
	if err := strace.Available(); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	o := order{maildir: filepath.Join(dir, "Maildir"), state: filepath.Join(dir, "state", "state.db")}
	messages := append(realtest.Messages(1, 6, 3000), realtest.Message{Seed: 7, Size: 300_000})
	if _, err := server.Put("user", messages...); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config.yaml")
	err := realtest.WriteConfig(config, realtest.Account{
		Name: "user", User: "user", Host: realtest.Host(1), Port: server.Port(realtest.Cleartext),
		TLS: realtest.Cleartext, Maildir: o.maildir,
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(string(build(t)), "fetch", "--config", config)
	cmd.Dir = dir
	log := filepath.Join(t.TempDir(), "log")
	if err := (strace.Command{Data: true}).Wrap(cmd, log); err != nil {
		t.Fatal(err)
	}
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	read, err := strace.ReadFile(log, dir)
	if err != nil {
		t.Fatal(err)
	}
	o.ops = read.Ops
	return o, messages
}

// A mutation is what a program with a known bug would call, made of what popsync calls. It touches the
// message that is renamed first, or the one that is deleted last.
type mutation struct {
	name  string
	apply func(o order) order
}

var mutations = []mutation{
	{"a write behind the sync of the file", func(o order) order { return o.move(o.last(o.writes, o.rename()), o.rename()) }},
	{"a file that is not synced", func(o order) order { return o.drop(o.last(o.syncs(o.ops[o.rename()].Path), o.rename())) }},
	{"tmp/ that is not synced", func(o order) order { return o.dropAll(o.syncs(filepath.Join(o.maildir, "tmp"))) }},
	{"an intent that is not synced", func(o order) order { return o.drop(o.last(o.syncs(o.state), o.rename())) }},
	{"a rename before the sync of the file", func(o order) order {
		return o.move(o.rename(), o.last(o.syncs(o.ops[o.rename()].Path), o.rename()))
	}},
	{"a rename before the sync of tmp/", func(o order) order {
		// Any sync behind its creation makes its name durable, that of another batch too.
		made := o.index(func(op strace.Op) bool {
			return op.Call == "openat" && op.Path == o.ops[o.rename()].Path && strings.Contains(op.Flags, "O_CREAT")
		})
		return o.move(o.rename(), made+slices.IndexFunc(o.ops[made:], o.syncs(filepath.Join(o.maildir, "tmp"))))
	}},
	{"a rename before the intent", func(o order) order { return o.move(o.rename(), o.last(o.syncs(o.state), o.rename())) }},
	{"new/ that is not synced", func(o order) order { return o.dropAll(o.syncs(filepath.Join(o.maildir, "new"))) }},
	{"a delivery that is not synced", func(o order) order { return o.drop(o.last(o.syncs(o.state), o.dele())) }},
	{"DELE before the sync of new/", func(o order) order {
		return o.move(o.dele(), o.last(o.syncs(filepath.Join(o.maildir, "new")), o.dele()))
	}},
	{"DELE before the delivery", func(o order) order { return o.move(o.dele(), o.last(o.syncs(o.state), o.dele())) }},
	{"QUIT before DELE", func(o order) order { return o.quitFirst() }},
	{"a meta page before its pages are synced", func(o order) order { return o.drop(o.last(o.syncs(o.state), o.last(o.meta, o.rename()))) }},
}

// flat numbers the calls as if each had begun when the one before it returned.
func (o order) flat() order {
	o.ops = slices.DeleteFunc(slices.Clone(o.ops), func(op strace.Op) bool { return op.End == 0 })
	for i := range o.ops {
		o.ops[i].Begin, o.ops[i].End = i+1, i+1
	}
	return o
}

func (o order) drop(i int) order {
	o.ops = slices.Delete(slices.Clone(o.ops), i, i+1)
	return o.flat()
}

func (o order) dropAll(which func(strace.Op) bool) order {
	o.ops = slices.DeleteFunc(slices.Clone(o.ops), which)
	return o.flat()
}

// move puts a call in front of another one.
func (o order) move(from, to int) order {
	moved := o.ops[from]
	o.ops = slices.Insert(slices.Clone(o.ops), to, moved)
	if from > to {
		from++
	}
	return o.drop(from)
}

// quitFirst sends QUIT before DELE, also where one write has both.
func (o order) quitFirst() order {
	quit, dele := o.index(func(op strace.Op) bool { return o.sends(op, "QUIT\r\n") }), o.dele()
	if quit != dele {
		return o.move(quit, dele)
	}
	o.ops = slices.Clone(o.ops)
	before, _, _ := bytes.Cut(o.ops[quit].Data, []byte("QUIT\r\n"))
	o.ops[quit].Data = slices.Concat([]byte("QUIT\r\n"), before)
	return o
}

func (o order) index(which func(strace.Op) bool) int { return slices.IndexFunc(o.ops, which) }

// last is the last call before another one that is meant.
func (o order) last(which func(strace.Op) bool, before int) int {
	for i := before - 1; i >= 0; i-- {
		if which(o.ops[i]) {
			return i
		}
	}
	panic("there is none")
}

func (o order) rename() int {
	return o.index(func(op strace.Op) bool {
		return strings.HasPrefix(op.Call, "rename") && filepath.Dir(op.To) == filepath.Join(o.maildir, "new")
	})
}

func (o order) dele() int {
	return o.last(func(op strace.Op) bool { return o.sends(op, "DELE ") }, len(o.ops))
}

// writes is of the message that is renamed first.
func (o order) writes(op strace.Op) bool {
	return op.Call == "write" && op.Path == o.ops[o.rename()].Path
}

func (o order) meta(op strace.Op) bool {
	return op.Call == "pwrite64" && op.Path == o.state && op.Offset < int64(2*os.Getpagesize())
}

func (o order) syncs(path string) func(strace.Op) bool {
	return func(op strace.Op) bool { return (op.Call == "fsync" || op.Call == "fdatasync") && op.Path == path }
}
