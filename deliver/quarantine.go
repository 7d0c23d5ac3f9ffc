package deliver

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"popsync/internal/durable"
)

// A Quarantine is a Maildir for messages that an agent has refused too often. Each arrives as it
// was handed to the agent, no byte changed, and its reason lies in reason/ under the same name.
type Quarantine struct{ *Maildir }

var _ Target = (*Quarantine)(nil)

const quarantinePrefix = "quarantine:"

// IsQuarantine tells whether a [Target.Location] is one of a [Quarantine].
func IsQuarantine(location string) bool { return strings.HasPrefix(location, quarantinePrefix) }

// NewQuarantine touches no disk; [Quarantine.Open] does. Line ends and trace header were seen to
// when the message was staged for the agent, so their options are not looked at.
func NewQuarantine(o MaildirOptions) *Quarantine {
	o.CRLF, o.Trace = true, nil
	return &Quarantine{NewMaildir(o)}
}

// Location is "quarantine:" and the folder's path.
func (q *Quarantine) Location() string { return quarantinePrefix + q.path }

// Open creates what is missing, above the Maildir too: like the spool it is popsync's own.
func (q *Quarantine) Open(ctx context.Context) error {
	parent := filepath.Dir(q.root)
	if err := durable.MkdirAll(parent, 0o700); err != nil {
		return failed(parent, err)
	}
	return q.Maildir.Open(ctx)
}

// Reason writes down why st was set aside, as reason/NAME. A second one replaces the first.
func (q *Quarantine) Reason(st Staged, text string) error {
	if err := checkName(st.Name); err != nil {
		return err
	}
	dir := q.sub("reason")
	if err := durable.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return failed(q.path, err)
	}
	if err := durable.WriteFile(filepath.Join(dir, st.Name), []byte(text), 0o600); err != nil {
		return failed(dir, err)
	}
	return nil
}
