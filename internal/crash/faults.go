package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"popsync/internal/crash/tracer"
)

// faults makes system calls of a small fetch fail, one in each trial: once, or from then on, or so that a
// read or write does only a part of what it was asked for. The fetch may fail; it has to say why, and
// must not say that all is well while mail was left. The next one, which nobody disturbs, brings the rest.
var faults = campaign{
	name: "faults", what: "each system call of a small fetch fails, once or from then on; short reads and writes",
	short: 60, long: 4000,
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		f, err := newFaultList(ctx, e, scenes(false))
		if err != nil {
			return tally{}, err
		}
		return e.each(ctx, min(trials, len(f.all)), 2, f.trial)
	},
}

// A fault is what goes wrong with which call.
type fault struct {
	point
	misfortune
}

func (f fault) String() string { return fmt.Sprintf("%v: %s", f.point, f.name) }

// A faultList has all of them, in the order in which they are tried: of those that are alike but for the
// scene and the number one comes first.
type faultList struct{ all []fault }

func newFaultList(ctx context.Context, e *env, scenes []scene) (*faultList, error) {
	if err := tracer.Available(); err != nil {
		return nil, cannot(err.Error())
	}
	points, err := rehearse(ctx, e, scenes)
	if err != nil {
		return nil, err
	}
	f := &faultList{}
	for _, p := range points {
		for _, m := range misfortunesOf(p) {
			f.all = append(f.all, fault{p, m})
		}
	}
	kinds := mix(e.randomOf(0), f.all, func(f fault) string { return f.looks + " " + f.name })
	fmt.Fprintf(e.out, "%s: faults of %d kinds, at %d places\n", e.campaign, kinds, len(f.all))
	return f, nil
}

// misfortunesOf are those that a call may meet.
func misfortunesOf(p point) []misfortune {
	name, file, _ := strings.Cut(strings.TrimPrefix(p.looks, "forked "), " ")
	if strings.HasPrefix(file, "anon_inode:[eventfd]") { // the Go runtime's own
		return nil
	}
	moves := name == "read" || name == "pread64" || name == "write" || name == "pwrite64"
	possible := errnos[name]
	if moves && !strings.HasPrefix(file, ".") {
		possible = ofSockets
	}
	var all []misfortune
	for _, errno := range possible {
		all = append(all, fails(errno, false))
		if lasting[errno] && strings.HasPrefix(file, ".") {
			all = append(all, fails(errno, true))
		}
	}
	if moves {
		all = append(all, partial...)
	}
	return all
}

func (f *faultList) trial(ctx context.Context, t *trial) (found tally, err error) {
	which := f.all[(t.n-1)%len(f.all)]
	p, err := which.set(ctx, t, nil, "user")
	if err != nil {
		return tally{}, err
	}
	defer p.close()
	found.messages = p.sent.Total()
	d := &disturbed{play: p, fault: which, watch: p.watch(which.point), found: &found, saved: map[string][]string{}}
	if err := d.run(ctx); err != nil {
		return found, err
	}
	if found.violations() > 0 {
		t.say("it was disturbed by %v", which)
	}
	return found, nil
}

// disturbed is a play in which a call fails.
type disturbed struct {
	*play
	fault fault
	watch *watch
	found *tally

	saved   map[string][]string // by folder: messages in it that were durable there before the fault
	unsaved []string            // messages of which a sync failed
}

func (d *disturbed) run(ctx context.Context) (err error) {
	if d.saved["new"], err = messagesIn(d.maildir, "new"); err != nil {
		return err
	}
	outcome, said, err := d.traced(ctx, d.decide)
	switch {
	case errors.Is(err, errHangs):
		d.failed(d.found, err)
	case err != nil:
		return err
	default:
		d.judge(outcome, said)
	}
	if err := d.look(outcome); err != nil {
		return err
	}
	return d.recover(ctx, d.found, 1) // an agent's verdict could not be recorded
}

// decide makes the call fail that is meant, and where that lasts all that are like it from then on.
func (d *disturbed) decide(c tracer.Call) tracer.Fate {
	again := d.fault.lasts && d.watch.met && c.Name == d.watch.call.Name &&
		strings.HasPrefix(c.Path, d.box.dir) && c.Path != d.output()
	if !d.watch.comes(c) && !again {
		d.note(c, false)
		return tracer.Fate{}
	}
	d.note(c, d.fault.errno != syscall.EINTR)
	return d.fault.fate(c)
}

// note keeps in mind which messages a sync is to make durable.
func (d *disturbed) note(c tracer.Call, fails bool) {
	if c.Name != "fsync" && c.Name != "fdatasync" {
		return
	}
	folder, err := filepath.Rel(d.maildir, c.Path)
	switch {
	case err != nil:
	case folder == "tmp", folder == "new":
		names, _ := messagesIn(d.maildir, folder) // what cannot be listed is not there yet
		if !fails {
			d.saved[folder] = append(d.saved[folder], names...)
			return
		}
		d.unsaved = append(d.unsaved, slices.DeleteFunc(names, func(name string) bool {
			return slices.Contains(d.saved[folder], name)
		})...)
	case fails:
		d.unsaved = append(d.unsaved, filepath.Base(c.Path))
	}
}

// statuses are those that a fetch may end with: with what is wrong with files, and with the line.
func (f fault) statuses() []int {
	if strings.Contains(f.looks, "socket") {
		return []int{0, 69, 74}
	}
	return []int{0, 73, 74, 75, 78}
}

// judge looks at what the fetch said of the fault.
func (d *disturbed) judge(outcome tracer.Outcome, said string) {
	failed := outcome.Status != 0
	switch {
	case !d.watch.met:
		d.found.did("faults that did not come", 1)
	case d.fault.errno == 0:
		d.found.did("short reads and writes", 1)
	case d.fault.errno == syscall.EINTR:
		d.found.did("interrupted calls", 1)
	case d.fault.lasts:
		d.found.did("calls that failed from then on", 1)
	default:
		d.found.did("calls that failed once", 1)
	}
	switch {
	case failed && d.fault.errno == syscall.EINTR:
		d.found.did("interrupted calls that failed the fetch", 1)
	case failed:
		d.found.did("fetches that failed of another call", 1)
	}
	switch {
	case outcome.Signal != 0, !slices.Contains(d.fault.statuses(), outcome.Status), failed && !d.watch.met:
		d.failed(d.found, fmt.Errorf("popsync ends with %v: %s", outcome, said))
	case failed && d.fault.errno != 0 && d.watch.call.Path != d.output() && !strings.Contains(said, d.fault.errno.Error()):
		d.failed(d.found, fmt.Errorf("popsync ends with %v and does not say why: %s", outcome, said))
	}
}

// look sees what there is once the fetch has ended.
func (d *disturbed) look(outcome tracer.Outcome) error {
	seen, err := d.evidence()
	if err != nil {
		return err
	}
	seen.window = 1
	wrong := seen.atAnyMoment()
	wrong.again = 0
	d.found.add(wrong)
	if missing, _, _ := seen.had.Differ(seen.sent); outcome.Status == 0 && missing > 0 {
		d.failed(d.found, fmt.Errorf("popsync ends with status 0 and left %d messages", missing))
	}
	published, err := messagesIn(d.maildir, "new")
	for _, name := range d.unsaved {
		if slices.Contains(published, name) {
			d.failed(d.found, fmt.Errorf("%s counts as delivered though its sync failed", name))
		}
	}
	return err
}

// messagesIn are the names of the messages in one folder of a Maildir, without what comes behind a comma.
func messagesIn(maildir, folder string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(maildir, folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		name, _, _ := strings.Cut(e.Name(), ",")
		names = append(names, name)
	}
	return names, err
}
