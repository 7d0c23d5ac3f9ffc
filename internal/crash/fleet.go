package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"popsync/internal/realtest"
)

// A fleet is many boxes in one configuration, each of which is spoilt in its own way: popsync polls
// them at once, so that one fetch tries out as many things.
type fleet struct {
	*trial
	boxes []*spoilt
	tally tally
}

// A spoilt box is disturbed until it is mended.
type spoilt struct {
	*box
	how      string                 // it is disturbed, with all that a person wants to know
	deed     string                 // the same in few words, for the tally
	explains func(code string) bool // says whether the account may fail like that
	mend     func()
}

const (
	fleetSize = 100
	hurry     = time.Second      // the accounts' timeout while they are disturbed
	slow      = 20 * time.Second // the most that a fetch of them may take: every wait has its timeout
)

// join adds a box with mail.
func (f *fleet) join(b *spoilt, mail []realtest.Message) error {
	b.account.Timeout = hurry
	f.boxes = append(f.boxes, b)
	f.tally.messages += len(mail)
	return b.put(mail)
}

// run fetches while all boxes are disturbed, and then while none is.
func (f *fleet) run(ctx context.Context) (tally, error) {
	r, err := f.fetch(ctx, slow)
	if ctx.Err() != nil {
		return f.tally, err
	}
	if err != nil {
		f.failed(err)
		return f.tally, nil
	}
	for i, b := range f.boxes {
		if err := f.disturbed(b, r.Accounts[i].Error); err != nil {
			return f.tally, err
		}
		b.mend()
		b.account.Timeout = 0 // popsync's own: the machine may be busy
	}
	err = f.finish(ctx)
	return f.tally, err
}

// disturbed looks at a box behind the fetch in which it was, and at what was told of it.
func (f *fleet) disturbed(b *spoilt, told *failure) error {
	f.tally.did(b.deed, 1)
	seen, err := b.evidence()
	if err != nil {
		return err
	}
	found := seen.atRest()
	switch {
	case told == nil: // then all was done
		found = seen.inTheEnd()
	case !b.explains(told.Code):
		found.failed++
	}
	f.judge(b.box, found, fmt.Sprintf("%s: %v", b.how, told))
	return nil
}

// finish is a fetch of all that nobody disturbs.
func (f *fleet) finish(ctx context.Context) error {
	r, err := f.fetch(ctx, patience)
	if ctx.Err() != nil {
		return err
	}
	if err != nil {
		f.failed(err)
	}
	for _, account := range r.Accounts {
		if account.Error != nil {
			f.failed(fmt.Errorf("%s: %v", account.Name, account.Error))
		}
	}
	for _, b := range f.boxes {
		seen, err := b.evidence()
		if err != nil {
			return err
		}
		f.judge(b.box, seen.inTheEnd(), b.how+"; in the end")
	}
	return nil
}

// judge adds what was found of a box, and tells what is wrong, and after what.
func (f *fleet) judge(b *box, found tally, after string) {
	f.tally.add(found)
	if found.violations() > 0 {
		f.say("%s: %s; %s", b.user, found.wrong(), after)
	}
}

func (f *fleet) failed(err error) {
	f.tally.failed++
	f.say("%v", err)
}

// A report is what `popsync fetch --json` says.
type report struct {
	Exit     int
	Accounts []struct {
		Name  string
		Error *failure
	}
}

// A failure is an account's, in a report.
type failure struct{ Code, Step, Message, Hint string }

func (f *failure) String() string {
	if f == nil {
		return "no error is told"
	}
	return fmt.Sprintf("told is %s at %q: %s", f.Code, f.Step, f.Message)
}

// fetch polls all once, in no more time than most, and is what popsync reports.
func (f *fleet) fetch(ctx context.Context, most time.Duration) (report, error) {
	config, err := f.configure()
	if err != nil {
		return report{}, err
	}
	child, err := f.popsync.Start(config, "fetch", "--json")
	if err != nil {
		return report{}, err
	}
	if err := await(ctx, child, most); err != nil {
		return report{}, err
	}
	var r report
	if err := json.Unmarshal([]byte(child.Stdout()), &r); err != nil {
		return r, fmt.Errorf("%w: %w", ended(child), err)
	}
	if r.Exit != child.Wait() {
		return r, fmt.Errorf("it says %d: %w", r.Exit, ended(child))
	}
	return r, nil
}

// configure writes the configuration of all, and is its path.
func (f *fleet) configure() (string, error) {
	var accounts []realtest.Account
	for _, b := range f.boxes {
		if err := b.furnish(); err != nil {
			return "", err
		}
		accounts = append(accounts, b.configured())
	}
	config := filepath.Join(f.dir, "config.yaml")
	if err := realtest.WriteConfig(config, accounts...); err != nil {
		return "", err
	}
	return config, appendTo(config, fmt.Sprintf("max_parallel: %d\nmax_per_host: %[1]d\n", len(f.boxes)))
}

func appendTo(name, text string) error {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}
