package s3test

import (
	"encoding/binary"
	"errors"
	"io"
)

// Pattern returns endless content that is a pure function of seed and offset, so that a test can
// serve and verify 10 GiB without keeping it in memory.
func Pattern(seed uint64) io.ReaderAt { return pattern(seed) }

// PatternBytes returns the first size bytes of Pattern(seed).
func PatternBytes(seed uint64, size int64) []byte {
	p := make([]byte, size)
	pattern(seed).ReadAt(p, 0)
	return p
}

// pattern is SplitMix64 in counter mode: word i of the content is number i of the generator. A word
// takes about a nanosecond.
// https://prng.di.unimi.it/splitmix64.c
type pattern uint64

func (s pattern) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("s3test: negative offset")
	}
	n := len(p)
	i := uint64(off) / 8
	if skip := off % 8; skip != 0 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], s.word(i))
		p = p[copy(p, word[skip:]):]
		i++
	}
	for ; len(p) >= 8; p = p[8:] {
		binary.LittleEndian.PutUint64(p, s.word(i))
		i++
	}
	if len(p) > 0 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], s.word(i))
		copy(p, word[:])
	}
	return n, nil
}

func (s pattern) word(i uint64) uint64 {
	z := uint64(s)*0xd1342543de82ef95 + (i+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
