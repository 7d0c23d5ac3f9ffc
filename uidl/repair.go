package uidl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"popsync/internal/shell"
)

// RepairOptions say how to repair a state.
type RepairOptions struct {
	DryRun bool          // only say what would be done
	Now    time.Time     // names the damaged file
	Wait   time.Duration // as in [Options]
	disk   disk
}

// A Repaired says what has become of a state, or with DryRun what would.
type Repaired struct {
	Sound     bool     // nothing is wrong, and nothing was done
	Records   int      // in the new state
	FromGood  int      // of them, those that only the good copy had
	Mailboxes int      // in the new state
	Lost      []string // what is known to be missing, in words
	Moved     string   // where the damaged file lies now; empty: there was none
}

// Repair makes a new state of what can be read of the one at path, and of the good copy that
// [DB.KeepGood] made. What is whole in the damaged file counts; the copy fills the gaps. Where there
// is no state, and one good copy, the new state is what the copy holds. The damaged file stays
// beside, under a name of the day.
//
// A crash at any step leaves the damaged state or the new one. A state that is sound is left alone.
//
// The error is a *[HeldError], a *[VersionError], ctx's, the operating system's, or a *[DamageError]:
// nothing can be read, and there is no good copy.
func Repair(ctx context.Context, path string, o RepairOptions) (Repaired, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Repaired{}, err
	}
	l, err := takeLock(ctx, path, time.Now().Add(cmp.Or(o.Wait, defaultWait)))
	if err != nil {
		return Repaired{}, err
	}
	defer l.release()
	r := &repair{path: path, RepairOptions: o}
	return r.run(ctx)
}

// A repair is under way.
type repair struct {
	RepairOptions
	path   string
	target string      // path without links
	was    fs.FileInfo // nil: there is no state
}

func (r *repair) run(ctx context.Context) (Repaired, error) {
	if err := r.locate(); err != nil {
		return Repaired{}, err
	}
	if r.was != nil {
		report, err := verifyFile(ctx, r.path, time.Now())
		if err != nil {
			return Repaired{}, err
		}
		if len(report.Faults) == 0 {
			return soundState(report), nil
		}
	}
	plan, err := r.plan()
	if err != nil {
		return Repaired{}, err
	}
	done := plan.done()
	if r.was != nil {
		done.Moved = r.freeName()
	}
	if r.DryRun {
		return done, nil
	}
	fresh := beside(r.target)
	if err := r.write(ctx, fresh, plan); err != nil {
		return Repaired{}, r.disk.clean(fresh, err)
	}
	if err := r.exchange(fresh, done.Moved); err != nil {
		return Repaired{}, r.disk.clean(fresh, bySystem(r.path, err))
	}
	return done, nil
}

// locate finds out what lies at path.
func (r *repair) locate() error {
	var err error
	r.was, err = os.Stat(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		r.was, r.target = nil, r.path
		if _, err := os.Lstat(r.path); err == nil {
			return cannotOpen(r.path, linkToNothing(r.path))
		}
		return nil
	}
	if err == nil {
		r.target, err = filepath.EvalSymlinks(r.path)
	}
	if err != nil {
		return cannotOpen(r.path, err)
	}
	if !r.was.Mode().IsRegular() {
		err := &DamageError{Path: r.path, Err: errors.New("it is not a file")}
		err.hint = fmt.Sprintf("move it away, then repair what there was: mv %s %s && popsync uidl repair", shell.Quote(r.path), shell.Quote(r.path+".aside"))
		return err
	}
	return nil
}

func soundState(report Report) Repaired {
	r := Repaired{Sound: true, Mailboxes: len(report.Mailboxes)}
	for _, m := range report.Mailboxes {
		r.Records += m.Records()
	}
	return r
}

// plan says what the new state is made of.
func (r *repair) plan() (*rescue, error) {
	damaged := newRemains()
	if r.was != nil {
		var err error
		if damaged, err = salvageFile(r.target); err != nil {
			return nil, cannotOpen(r.path, err)
		}
	}
	if damaged.version > Version {
		return nil, &VersionError{Path: r.path, Version: damaged.version}
	}
	good, err := r.readGood()
	if err != nil {
		return nil, err
	}
	plan := join(damaged, good)
	if len(plan.mailboxes) == 0 && !damaged.complete() {
		return nil, r.nothing()
	}
	return plan, nil
}

// readGood reads the good copy. Where there is no state, and copies of several, a person has to say
// which it is to be.
func (r *repair) readGood() (*remains, error) {
	path := goodPath(r.path)
	others, err := setAside(path)
	if err != nil {
		return nil, cannotOpen(r.path, err)
	}
	if r.was == nil && len(others) > 0 {
		return nil, r.several(path, others)
	}
	good, err := salvageFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, cannotOpen(r.path, err)
	}
	if good.version > Version {
		return nil, &VersionError{Path: path, Version: good.version}
	}
	return good, nil
}

func (r *repair) several(good string, others []string) error {
	return &DamageError{
		Path: r.path,
		Err:  fmt.Errorf("it is not there, and beside %s there are copies of other states: %s", good, strings.Join(others, ", ")),
		hint: fmt.Sprintf("give the one that knows most the name %s, and the others another folder", good),
	}
}

// nothing says that there is nothing to make a state of.
func (r *repair) nothing() error {
	_, err := os.Lstat(goodPath(r.path))
	copied := err == nil // or else it would have served
	if r.was == nil && !copied {
		return cannotOpen(r.path, &fs.PathError{Op: "open", Path: r.path, Err: fs.ErrNotExist})
	}
	if r.was == nil {
		return &DamageError{
			Path: goodPath(r.path),
			Err:  errors.New("nothing of it can be read, and there is no state beside it"),
			hint: "the next fetch begins anew: what lies on the servers counts as new",
		}
	}
	why := "there is no good copy "
	if copied {
		why = "nothing of its good copy "
	}
	return &DamageError{
		Path: r.path,
		Err:  fmt.Errorf("nothing of it can be read, and %s%s", why, goodPath(r.path)),
		hint: fmt.Sprintf("to begin anew, with all that lies on the servers counting as new: mv %s %s", shell.Quote(r.path), shell.Quote(r.path+".damaged")),
	}
}

// write makes the new state, durable and sound.
func (r *repair) write(ctx context.Context, fresh string, plan *rescue) error {
	err := r.disk.remove(fresh)
	if err == nil {
		err = write(fresh, plan.origin, plan.into)
	}
	if err == nil && r.was != nil {
		err = ownLike(fresh, r.was)
	}
	if err == nil {
		err = r.disk.sync(fresh)
	}
	if err != nil {
		return cannotOpen(r.path, err)
	}
	report, err := verifyFile(ctx, fresh, time.Now())
	return cmp.Or(err, report.Err())
}

// exchange puts the new state into the place of the damaged one, which is kept as moved. There is a
// state at every moment: none at all would be taken for a new one.
func (r *repair) exchange(fresh, moved string) error {
	if moved != "" {
		if err := r.keep(moved); err != nil {
			return err
		}
		if err := r.disk.syncDir(moved); err != nil {
			return err
		}
	}
	if err := r.disk.rename(fresh, r.target); err != nil {
		return err
	}
	return r.disk.syncDir(r.target)
}

// keep gives the damaged file a second name; where the file system has no links, a copy of it gets
// that.
func (r *repair) keep(moved string) error {
	err := r.disk.link(r.target, moved)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := copyFile(context.Background(), r.target, moved); err != nil {
		return r.disk.clean(moved, err)
	}
	return r.disk.sync(moved)
}

// freeName is where the damaged file is kept.
func (r *repair) freeName() string {
	name := r.target + ".damaged-" + r.Now.UTC().Format("20060102T150405Z")
	free := name
	for n := 2; ; n++ {
		if _, err := os.Lstat(free); errors.Is(err, fs.ErrNotExist) || n > 100 {
			return free
		}
		free = fmt.Sprintf("%s-%d", name, n)
	}
}
