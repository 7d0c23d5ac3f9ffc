package uidl

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// Every value ends in the CRC-32C of its key and itself, so a bucket may move as it is.
const sumSize = 4

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)

	errSum   = errors.New("the checksum is wrong")
	errShape = errors.New("the encoding is wrong")
)

// seal appends the checksum to a value that stands under key. It may write into body's capacity.
func seal(key, body []byte) []byte {
	return binary.LittleEndian.AppendUint32(body, sum(key, body))
}

// unseal returns the value without its checksum, or errSum.
func unseal(key, sealed []byte) ([]byte, error) {
	if len(sealed) < sumSize {
		return nil, errSum
	}
	body := sealed[:len(sealed)-sumSize]
	if sealOf(sealed) != sum(key, body) {
		return nil, errSum
	}
	return body, nil
}

func sum(key, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, body)
}

// sealOf is the checksum that a sealed value carries, 0 if it is too short for one.
func sealOf(sealed []byte) uint32 {
	if len(sealed) < sumSize {
		return 0
	}
	return binary.LittleEndian.Uint32(sealed[len(sealed)-sumSize:])
}

// A set says how many values there are and, summed up, which: enough to notice that one is
// missing, came back, or belongs to another mailbox.
type set struct {
	n, sum uint64
}

func (s *set) add(seal uint32)    { s.n++; s.sum += mix(seal) }
func (s *set) remove(seal uint32) { s.n--; s.sum -= mix(seal) }

// mix spreads a checksum over 64 bits (the end of splitmix64): sums of plain CRCs, which are
// linear, would agree too easily.
func mix(seal uint32) uint64 {
	z := uint64(seal) + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (s set) append(b []byte) []byte {
	b = binary.AppendUvarint(b, s.n)
	return binary.LittleEndian.AppendUint64(b, s.sum)
}

func (d *decoder) set() set { return set{n: d.uvarint(), sum: d.uint64()} }

func (s set) plus(t set) set  { return set{n: s.n + t.n, sum: s.sum + t.sum} }
func (s set) minus(t set) set { return set{n: s.n - t.n, sum: s.sum - t.sum} }

// A tally says what must be in a mailbox.
type tally struct {
	sets [len(kinds)]set // by kind
	next uint64          // the number of the next intent or event
}

func (t tally) encode() []byte {
	b := t.sets[intents].append(t.sets[records].append(nil))
	b = binary.AppendUvarint(b, t.next)
	return t.sets[history].append(b)
}

func decodeTally(b []byte) (tally, error) {
	d := decoder{rest: b}
	t := tally{sets: [...]set{records: d.set(), intents: d.set(), history: {}}, next: d.uvarint()}
	if len(d.rest) > 0 { // nothing before version 3
		t.sets[history] = d.set()
	}
	return t, d.end()
}
