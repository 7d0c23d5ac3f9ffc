package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"popsync/internal/crash/disk"
	"popsync/internal/crash/strace"
	"popsync/internal/poptest"
	"popsync/internal/realtest"
)

// A recording is a fetch, or another command, that nobody disturbed, call by call.
type recording struct {
	ops   []strace.Op
	after disk.Tree          // what lay on the disk in the end
	mail  map[string]mailbox // by user
	users map[string]string  // who logged in, by connection
}

// A mailbox is what lay on the server before the fetch, and what its QUIT deleted.
type mailbox struct {
	*poptest.Mailbox
	messages []*poptest.Message
	deleted  map[string]bool // UIDs
}

// record lets a fetch finish under strace.
func (s *story) record(ctx context.Context) (*recording, error) {
	return s.recordOf(ctx, []string{"fetch"})
}

// recordOf is record for any command.
func (s *story) recordOf(ctx context.Context, command []string) (r *recording, err error) {
	s.tally.did("recordings of "+strings.Join(command, " "), 1)
	r = &recording{mail: make(map[string]mailbox)}
	for _, b := range s.boxes {
		box := s.pop.Mailbox(b.user)
		r.mail[b.user] = mailbox{box, box.Messages(), make(map[string]bool)}
	}
	earlier := len(s.pop.Sessions())
	if r.ops, err = s.traced(ctx, command); err != nil {
		return nil, err
	}
	for _, session := range s.pop.Sessions()[earlier:] {
		for _, uid := range session.Deleted {
			r.mail[session.User].deleted[uid] = true
		}
	}
	r.users = logIns(r.ops)
	r.after, err = s.site.Read()
	return r, err
}

// traced is what a command calls, from its start to its end.
func (s *story) traced(ctx context.Context, command []string) ([]strace.Op, error) {
	log := filepath.Join(s.dir, "strace.log")
	cmd := exec.Command(string(s.popsync), append(slices.Clone(command), "--config", s.config)...)
	cmd.Dir = s.root
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.root, "LANG=C.UTF-8"}
	if err := (strace.Command{Data: true}).Wrap(cmd, log); err != nil {
		return nil, err
	}
	child, err := realtest.Start(cmd)
	if err != nil {
		return nil, err
	}
	if err := await(ctx, child, patience); err != nil {
		return nil, err
	}
	if child.Wait() != 0 && (s.to != toQuarantine || child.Wait() != exitRefused) {
		return nil, fmt.Errorf("under strace: %w", ended(child))
	}
	read, err := strace.ReadFile(log, s.root)
	if err != nil {
		return nil, err
	}
	return read.Ops, nil
}

// logIns finds who logged in on which connection.
func logIns(ops []strace.Op) map[string]string {
	users := make(map[string]string)
	for _, op := range ops {
		if _, rest, found := strings.Cut(sent(op), "USER "); found {
			users[op.Path], _, _ = strings.Cut(rest, "\r\n")
		}
	}
	return users
}

// sent is what a call sends over a connection.
func sent(op strace.Op) string {
	if strings.HasPrefix(op.Path, "TCP") && (op.Call == "write" || op.Call == "sendto") {
		return string(op.Data)
	}
	return ""
}

// quits is whose messages are deleted by what a call sends: "" where none are.
func (r *recording) quits(op strace.Op) (user string) {
	if !strings.Contains(sent(op), "QUIT\r\n") {
		return ""
	}
	if user = r.users[op.Path]; len(r.mail[user].deleted) == 0 {
		return ""
	}
	return user
}

// restore puts back on the server what lay there, and has it do what the users' QUIT asks for.
func (r *recording) restore(quit map[string]bool) {
	for user, box := range r.mail {
		box.Clear()
		for _, m := range box.messages {
			if !quit[user] || !box.deleted[m.UID] {
				box.AddFunc(m.UID, m.Size, func(w io.Writer) error {
					_, err := m.WriteTo(w)
					return err
				})
			}
		}
	}
}
