package deliver

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// Settling is for intents of a [Target.Location] that no account delivers to any more. The target
// can only Settle, Drop and Clean; the other methods answer with an error.
//
// An agent that is not configured any more cannot be asked: what lies in its spool is removed and
// fetched again.
func Settling(location string, owner Owner) (Target, error) {
	if path, ok := strings.CutPrefix(location, maildirPrefix); ok && filepath.IsAbs(path) {
		return settling{NewMaildir(MaildirOptions{Path: path, Owner: owner})}, nil
	}
	if path, ok := strings.CutPrefix(location, quarantinePrefix); ok && filepath.IsAbs(path) {
		return settling{NewQuarantine(MaildirOptions{Path: path, Owner: owner})}, nil
	}
	if spool, ok := strings.CutPrefix(location, mdaPrefix); ok && filepath.IsAbs(spool) {
		return settling{orphans{NewMDA(MDAOptions{Spool: spool, Owner: owner})}}, nil
	}
	return nil, unusable("", "%q: no place that mail is delivered to", location)
}

var errSettlingOnly = errors.New("not configured any more: nothing is delivered there")

// settling is a Target without what delivers new mail.
type settling struct{ Target }

func (s settling) refusal() error {
	return unusable("", "%s: %w", s.Location(), errSettlingOnly)
}

func (s settling) Open(context.Context) error { return s.refusal() }

func (s settling) Prepare(int) (done func()) { return func() {} }

func (s settling) Stage(context.Context, string, io.Reader) (Staged, error) {
	return Staged{}, s.refusal()
}

func (s settling) Sync(_ context.Context, batch []Staged) []error {
	return fill(len(batch), s.refusal())
}

func (s settling) Publish(_ context.Context, batch []Staged) []error {
	return fill(len(batch), s.refusal())
}

// orphans are the messages in the spool of an agent that is not configured any more.
type orphans struct{ *MDA }

func (o orphans) Settle(_ context.Context, st Staged, _ time.Duration) (Outcome, error) {
	if err := o.Drop([]Staged{st}); err != nil {
		return Unsettled, err
	}
	return Again, nil
}
