package main

import "popsync/internal/crash/disk"

// A past is how a disk came to be as it is: what was durable at first, and what fetches did since.
type past struct {
	begin disk.Tree
	parts []part
}

// A part is a fetch, up to where it ended.
type part struct {
	*recording
	moments int
}

// with is the past with one more part.
func (p past) with(fetch *recording, moments int) past {
	return past{p.begin, append(p.parts[:len(p.parts):len(p.parts)], part{fetch, moments})}
}

// disk is one with that past.
func (p past) disk(root string, renames disk.Renames) (*disk.Disk, error) {
	d := disk.New(p.begin, renames)
	for _, part := range p.parts {
		m := newModel(d, root, part.recording, renames)
		if _, err := m.goTo(part.moments); err != nil {
			return nil, err
		}
		d.Land() // also what was under way: a killed process leaves no call half done
	}
	return d, nil
}

// A model is a disk on which a fetch is done once more, call by call.
type model struct {
	*disk.Disk
	*disk.Replay
	fetch   *recording
	renames disk.Renames
}

func newModel(d *disk.Disk, root string, fetch *recording, renames disk.Renames) *model {
	return &model{d, d.Replay(root, fetch.ops, fetch.after), fetch, renames}
}

// models are one of each kind, as they are before the fetch.
func (s *story) models(fetch *recording) ([]*model, error) {
	var models []*model
	for _, renames := range []disk.Renames{disk.Whole, disk.Halves} {
		d, err := s.past.disk(s.root, renames)
		if err != nil {
			return nil, err
		}
		models = append(models, newModel(d, s.root, fetch, renames))
	}
	return models, nil
}

// goTo steps over the first moments. It returns whose QUIT was sent by then.
func (m *model) goTo(moments int) (asked map[string]bool, err error) {
	asked = make(map[string]bool)
	for range moments {
		when, _, err := m.Step()
		if err != nil {
			return nil, err
		}
		if user := m.fetch.quits(when.Op); user != "" {
			asked[user] = true
		}
	}
	return asked, nil
}
