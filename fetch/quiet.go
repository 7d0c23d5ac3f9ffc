package fetch

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"popsync/fetch/pop3"
	"popsync/uidl"
)

// Most polls find the mailbox as the last one has left it. Then what the last one found out holds
// still, and the records of 20,000 messages need not be read and compared to find that out again.

// A quiet listing is one for which there is nothing to do.
type quiet struct {
	listing string // its digest; empty where there may be something to do
	until   uidl.Stamp
}

// quietBefore says whether the last poll found the same listing quiet. The database sees to it that
// the records are the same, too.
func (s *session) quietBefore(digest string) bool {
	last := s.last.QuietUntil
	return digest != "" && digest == s.last.Quiet && (last.IsZero() || uidl.At(s.now()) < last)
}

// digest is of all that a plan depends on besides the records and the clock; empty where messages are
// deleted, or the listing is empty or not all there is.
func digest(l pop3.Listing, keep Retention) string {
	if keep.Delete || !l.Complete() || len(l.Messages) == 0 {
		return ""
	}
	hash := sha256.New()
	buf := binary.AppendVarint(make([]byte, 0, 8<<10), int64(keep.remember()))
	for _, m := range l.Messages {
		if cap(buf)-len(buf) < len(m.UID)+2*binary.MaxVarintLen64 {
			hash.Write(buf)
			buf = buf[:0]
		}
		buf = binary.AppendVarint(buf, int64(m.Number))
		buf = binary.AppendUvarint(buf, uint64(len(m.UID)))
		buf = append(buf, m.UID...)
	}
	hash.Write(buf)
	return hex.EncodeToString(hash.Sum(nil))
}
