package uidl

import (
	"bytes"
	"context"
)

// chunk is how many values are read at once, before they are yielded.
const chunk = 1000

// inChunks yields the values of a kind, in the order of their keys. A transaction that stays open
// holds up who wants to write and lets the file grow, so none is while yield runs: each chunk is
// read in one of its own, which view opens. What is damaged is left out, and an error at the end.
func inChunks[T any](ctx context.Context, view func(func(*shelf) error) error, k kind,
	read func(key, sealed []byte) (T, error), yield func(T) error,
) error {
	var last []byte
	for more := true; more; {
		var values []T
		more = false
		err := view(func(s *shelf) error {
			last, more = s.chunk(k, last, func(key, sealed []byte) {
				if v, err := read(key, sealed); err == nil {
					values = append(values, v)
				}
			})
			return nil
		})
		if err != nil {
			return err
		}
		for _, v := range values {
			if err := yield(v); err != nil {
				return err
			}
		}
	}
	return view(func(s *shelf) error {
		return s.all(ctx, k, func(key, sealed []byte) error {
			_, err := read(key, sealed)
			return err
		})
	})
}

// chunk calls f for the values behind the key after, or from the beginning. It returns the last
// key that it looked at.
func (s *shelf) chunk(k kind, after []byte, f func(key, sealed []byte)) (last []byte, more bool) {
	bucket := s.bucket.Bucket(k.bucket())
	if bucket == nil {
		return nil, false
	}
	c := bucket.Cursor()
	key, sealed := c.Seek(after)
	if after != nil && bytes.Equal(key, after) {
		key, sealed = c.Next()
	}
	for n := 0; key != nil; n++ {
		if n == chunk {
			return last, true
		}
		f(key, sealed)
		last = bytes.Clone(key)
		key, sealed = c.Next()
	}
	return last, false
}
