package fetch

import (
	"context"
	"slices"

	"popsync/uidl"
)

// verify looks at the headers of messages that are about to be deleted although their UIDs may
// have been used again meanwhile: those whose deletion was sent before, and which are listed all
// the same (R4). What has another header is another message, and retrieved. Without digests, or
// TOP, the size is all there is to go by.
func (s *session) verify(ctx context.Context, plan *Plan) error {
	doubtful := slices.DeleteFunc(slices.Clone(plan.Delete), func(h Had) bool {
		return h.Record.Header == 0 || !mayBeReused(uidl.Entry{Record: h.Record})
	})
	if len(doubtful) == 0 || s.dryRun || s.quitCommits() {
		return nil
	}
	items := make([]Item, len(doubtful))
	for i, h := range doubtful {
		items[i] = h.Item
	}
	headers, err := s.headers(ctx, items)
	if err != nil {
		return err
	}
	other := func(h Had) bool {
		digest, asked := headers[h.Number]
		return asked && digest != h.Record.Header
	}
	for _, h := range doubtful {
		if other(h) {
			h.before = h.Record.Deletions // a server whose TOP is never like its RETR brings no more than some copies
			plan.Retrieve = append(plan.Retrieve, h.Item)
		}
	}
	plan.Delete = slices.DeleteFunc(plan.Delete, other)
	slices.SortFunc(plan.Retrieve, byNumber)
	return nil
}
