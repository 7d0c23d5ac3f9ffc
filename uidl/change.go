package uidl

import (
	"fmt"
	"strings"
)

// isEmpty reports whether c changes nothing.
func (c Change) isEmpty() bool {
	return c.Poll == nil && len(c.Intend)+len(c.Confirm)+len(c.Abandon)+len(c.Update)+len(c.Forget)+len(c.History) == 0
}

// validate says what is wrong with c by itself, whatever is stored.
func (c Change) validate() error {
	seen := make(map[Ref]bool, len(c.Intend))
	for _, in := range c.Intend {
		if err := in.validate(); err != nil {
			return err
		}
		if seen[in.Ref] {
			return fmt.Errorf("two intents for %v", in.Ref)
		}
		seen[in.Ref] = true
	}
	for _, entries := range [][]Entry{c.Confirm, c.Update} {
		for _, e := range entries {
			if err := e.validate(); err != nil {
				return err
			}
		}
	}
	for _, refs := range [][]Ref{c.Abandon, c.Forget} {
		for _, r := range refs {
			if err := r.validate(); err != nil {
				return err
			}
		}
	}
	for _, e := range c.History {
		if err := e.validate(); err != nil {
			return err
		}
	}
	return nil
}

// String names the message for people.
func (r Ref) String() string {
	if r.Rank == 0 {
		return fmt.Sprintf("UID %q", r.UID)
	}
	return fmt.Sprintf("UID %q, rank %d", r.UID, r.Rank)
}

func (r Ref) validate() error {
	switch {
	case len(r.UID) > maxKey:
		return fmt.Errorf("a UID of %d octets; the most is %d", len(r.UID), maxKey)
	case strings.ContainsRune(r.UID, 0):
		return fmt.Errorf("%v: a NUL in it", r)
	}
	return nil
}

func (e Entry) validate() error {
	if err := e.Ref.validate(); err != nil {
		return err
	}
	switch {
	case e.State > Quarantined:
		return fmt.Errorf("%v: state %d", e.Ref, e.State)
	case e.Size < -1 || e.Seen < 0:
		return fmt.Errorf("%v: size %d", e.Ref, e.Size)
	}
	return nil
}

func (in Intent) validate() error {
	if err := in.Ref.validate(); err != nil {
		return err
	}
	switch {
	case in.Name == "":
		return fmt.Errorf("%v: an intent without a name", in.Ref)
	case len(in.Name)+len(in.Target) > maxKey:
		return fmt.Errorf("%v: the name of its file is too long", in.Ref)
	case in.Size < -1 || in.Staged < 0:
		return fmt.Errorf("%v: size %d, staged %d", in.Ref, in.Size, in.Staged)
	}
	return nil
}

func (e Event) validate() error {
	if err := e.Ref.validate(); err != nil {
		return err
	}
	switch {
	case !e.What.known():
		return fmt.Errorf("%v: an event of kind %d", e.Ref, e.What)
	case e.Size < -1:
		return fmt.Errorf("%v: size %d", e.Ref, e.Size)
	}
	return nil
}
