package poptest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
)

// A Mailbox is what one user has on the server. It may change at any time; a session sees the messages
// that were there when it logged in.
type Mailbox struct {
	mu       sync.Mutex
	password string
	accepts  func(token string) bool // nil: no token at all
	messages []*Message
	last     int64          // id that was given last
	popped   map[int64]bool // those that are in no window any more
	renamed  int            // calls of Renumber
	holder   *Conn          // the session that has it, with Options.Exclusive
}

// A Message is one message of a mailbox.
type Message struct {
	UID  string
	Size int64 // octets as LIST and STAT tell them

	id    int64 // within its mailbox, whatever its UID
	write func(io.Writer) error
}

// WriteTo writes the message as it is stored: not dot-stuffed.
func (m *Message) WriteTo(w io.Writer) (int64, error) {
	count := &counter{w: w}
	err := m.write(count)
	return count.n, err
}

// Add appends a message that is sent byte for byte; its lines should end in CRLF. No octet is looked
// at, and the UID may be any, even one that is there already.
func (b *Mailbox) Add(uid string, raw []byte) {
	raw = slices.Clone(raw)
	b.AddFunc(uid, int64(len(raw)), func(w io.Writer) error {
		_, err := w.Write(raw)
		return err
	})
}

// AddFunc appends a message that write makes anew, piece by piece, whenever it is retrieved, so that a
// large one takes no memory. size is what LIST tells and may be wrong. write must give up at the first
// error of its writer; an error of its own cuts the connection within the message.
func (b *Mailbox) AddFunc(uid string, size int64, write func(io.Writer) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	b.messages = append(b.messages, &Message{UID: uid, Size: size, id: b.last, write: write})
}

// Renumber gives all messages new UIDs at once, as a provider's migration does. Sessions that run keep the
// old ones.
func (b *Mailbox) Renumber() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.renamed++
	for i, m := range b.messages {
		renamed := *m
		renamed.UID = fmt.Sprintf("renumbered-%d-%d", b.renamed, i+1)
		b.messages[i] = &renamed
	}
}

// Remove takes away all messages that have one of uids, as another client would have done.
func (b *Mailbox) Remove(uids ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = slices.DeleteFunc(b.messages, func(m *Message) bool {
		return slices.Contains(uids, m.UID)
	})
}

// Clear takes all messages away.
func (b *Mailbox) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = nil
}

// Messages is what lies in the mailbox now, in its order.
func (b *Mailbox) Messages() []*Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.messages)
}

// UIDs is that of each of [Mailbox.Messages].
func (b *Mailbox) UIDs() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	uids := make([]string, len(b.messages))
	for i, m := range b.messages {
		uids[i] = m.UID
	}
	return uids
}

// SetPassword takes the place of [Password].
func (b *Mailbox) SetPassword(password string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.password = password
}

func (b *Mailbox) passwordIs(password string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.password == password
}

func (b *Mailbox) secret() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.password
}

// SetToken makes token the only one that XOAUTH2 and OAUTHBEARER take, so that the one before it has
// expired; an empty one makes that none, as it is at first.
func (b *Mailbox) SetToken(token string) {
	b.AcceptToken(func(got string) bool { return token != "" && got == token })
}

// AcceptToken asks accept about every token, in the place of [Mailbox.SetToken].
func (b *Mailbox) AcceptToken(accept func(token string) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.accepts = accept
}

func (b *Mailbox) takes(token string) bool {
	b.mu.Lock()
	accept := b.accepts
	b.mu.Unlock()
	return accept != nil && accept(token)
}

// window is the oldest most messages, 0 for all, without those that were popped where that matters.
func (b *Mailbox) window(most int, unpopped bool) []*Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	var seen []*Message
	for _, m := range b.messages {
		if most > 0 && len(seen) == most {
			break
		}
		if !unpopped || !b.popped[m.id] {
			seen = append(seen, m)
		}
	}
	return seen
}

// pop takes messages out of the window.
func (b *Mailbox) pop(ids map[int64]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.popped == nil {
		b.popped = make(map[int64]bool)
	}
	maps.Copy(b.popped, ids)
}

// lock gives the mailbox to c alone, and says whether it was free.
func (b *Mailbox) lock(c *Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holder != nil {
		return false
	}
	b.holder = c
	return true
}

func (b *Mailbox) unlock(c *Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holder == c {
		b.holder = nil
	}
}

// remove takes away these very messages, whatever UIDs others have.
func (b *Mailbox) remove(gone map[int64]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = slices.DeleteFunc(b.messages, func(m *Message) bool { return gone[m.id] })
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
