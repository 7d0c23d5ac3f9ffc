package fetch

import (
	"context"
	"slices"
)

// verify looks at the headers of messages that are about to be deleted although their UIDs may
// have been used again meanwhile: those whose deletion was sent before, and which are listed all
// the same (R4). What has another header is another message, and retrieved; what has a header that
// tells nothing is retrieved to see. What cannot be asked now is left for another poll. On servers
// without TOP, and for records without a digest, the size is all there is to go by.
func (s *session) verify(ctx context.Context, plan *Plan) error {
	s.expected = make(map[int32]Had)
	for _, h := range plan.Look {
		s.expected[h.Number] = h
	}
	doubtful := slices.DeleteFunc(slices.Clone(plan.Delete), func(h Had) bool {
		return h.Record.Header == 0 || !h.Doubtful
	})
	if len(doubtful) == 0 || s.dryRun || s.quitCommits() || !s.canTOP() {
		return nil
	}
	headers, err := s.headers(ctx, telling(doubtful))
	if err != nil {
		return err
	}
	keep := func(h Had) bool {
		digest, answered := headers[h.Number]
		switch {
		case !tells(h.Record.Header), answered && digest != h.Record.Header:
			s.expected[h.Number] = h
			plan.Retrieve = append(plan.Retrieve, h.Item)
			return true
		case !answered && s.putOff:
			return true
		}
		return false
	}
	kept := make(map[int32]bool)
	for _, h := range doubtful {
		kept[h.Number] = keep(h)
	}
	plan.Delete = slices.DeleteFunc(plan.Delete, func(h Had) bool { return kept[h.Number] })
	slices.SortFunc(plan.Retrieve, byNumber)
	return nil
}

func telling(had []Had) []Item {
	var items []Item
	for _, h := range had {
		if tells(h.Record.Header) {
			items = append(items, h.Item)
		}
	}
	return items
}

// hadAllTheSame says whether a message that was retrieved to see is the one that was delivered before:
// then it is not delivered again.
func (s *session) hadAllTheSame(m Item, digest uint64) (Had, bool) {
	h, ok := s.expected[m.Number]
	return h, ok && h.Record.Header != 0 && digest == h.Record.Header
}
