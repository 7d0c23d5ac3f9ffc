package fetch

import (
	"context"
	"sync"
	"time"

	"popsync/deliver"
)

const (
	aheadMessages = 256 // that staging may run ahead of durability
	batchMessages = 256 // that share the cost of being made durable

	// gathering is how long a batch waits for more where messages come one at a time.
	gathering = 250 * time.Millisecond
)

// An arrival is a message that is staged.
type arrival struct {
	Item
	staged deliver.Staged
	octets int64  // as they came over the line
	header uint64 // its digest
	id     string // its Message-ID

	failed bool // it was not: its rank is to be kept for it
}

// bringIn stages items, makes them durable and delivers them, each at its own pace. What ends the
// reading, such as a lost connection, ends nothing else: what is staged is delivered. What ends the
// delivering, such as a failed fsync, ends all. Once soft ends, no further message is asked for.
func (s *session) bringIn(soft, hard context.Context, items []Item) (brought []Had, err error) {
	if len(items) == 0 {
		return nil, nil
	}
	prepared := s.account.Target.Prepare(len(items))
	defer prepared()
	reading, stop := context.WithCancel(hard)
	defer stop()
	var lost error
	var behind sync.WaitGroup // the reader, and who syncs
	staged := make(chan arrival, aheadMessages)
	behind.Go(func() {
		defer close(staged)
		lost = s.stageAll(soft, reading, items, staged)
	})
	synced := make(chan syncedBatch)
	behind.Go(func() {
		defer close(synced)
		s.syncAll(reading, staged, synced)
	})
	b := bringer{s: s}
	if err = b.deliverAll(hard, synced); err != nil {
		stop()
	}
	for batch := range synced { // nothing of it has an intent
		b.abandon(batch)
	}
	behind.Wait()
	b.drops.Wait()
	s.account.Target.Drop(b.orphans) // what stays is cleaned at the next start
	if err == nil {
		err = lost
	}
	return b.brought, err
}
