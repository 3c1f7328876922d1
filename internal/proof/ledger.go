package proof

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
)

// Ledger collects the checksums of an object's ranges, which it accepts in any order, and compares
// them with the stored checksum. The object is divided into sections: one for each part if the
// stored checksum covers the digests of parts, otherwise one for the whole object.
//
// A Ledger is not safe for concurrent use.
type Ledger struct {
	stored checksum.Stored
	layout Layout // known only if stored covers parts; one section each
	size   int64

	from, to int       // the first and the last section that are to come, with parts
	parts    []PartSum // what verifies them, instead of stored; nil: stored does

	sums [][]byte                 // by section; nil: not complete
	open map[int]*checksum.Pieces // incomplete sections, if the algorithm combines
}

// NewLedger returns an empty Ledger for an object of size bytes with the checksum stored. If stored
// covers the digests of parts, layout must be their layout.
func NewLedger(stored checksum.Stored, size int64, layout Layout) *Ledger {
	l := &Ledger{stored: stored, size: size, open: map[int]*checksum.Pieces{}}
	if inParts(stored) {
		l.layout = layout
		l.sums = make([][]byte, layout.Count())
	} else {
		l.sums = make([][]byte, 1)
	}
	return l
}

// Only has the Ledger verify the parts from start to end alone, by the checksums of the object's
// parts. The bytes must be whole parts, as Covers has found.
func (l *Ledger) Only(start, end int64, parts []PartSum) {
	l.from, l.to, _ = l.layout.Parts(start, end)
	l.parts = parts
}

// Algorithm returns the checksum algorithm of the ranges.
func (l *Ledger) Algorithm() checksum.Algorithm { return l.stored.Algorithm }

// Layout returns the parts that have a checksum each. No range may cross a boundary between them.
// The layout is not known if there is one checksum for the whole object.
func (l *Ledger) Layout() Layout { return l.layout }

// Combines reports whether a section may be added in pieces.
func (l *Ledger) Combines() bool { return l.stored.Algorithm.Combines() }

// Add records the checksum of a range that has been written to the file: sum if the algorithm
// combines, otherwise digest. The range must lie within one section.
func (l *Ledger) Add(offset, length int64, sum uint64, digest []byte) {
	i, start, end := 0, int64(0), l.size
	if l.layout.Known() {
		i = l.layout.Of(offset)
		start, end = l.layout.Part(i)
	}
	if !l.Combines() {
		l.sums[i] = digest
		return
	}
	pieces := l.open[i]
	if pieces == nil {
		pieces = checksum.NewPieces(l.stored.Algorithm)
		l.open[i] = pieces
	}
	pieces.Add(offset-start, length, sum)
	if crc, whole := pieces.Whole(end - start); whole {
		l.sums[i] = l.stored.Algorithm.Bytes(crc)
		delete(l.open, i)
	}
}

// Check compares the recorded checksums with the stored one and returns a description of it. The
// error matches failure.ErrChecksumMismatch.
func (l *Ledger) Check() (proved string, err error) {
	if l.size == 0 && l.sums[0] == nil {
		l.sums[0] = l.stored.Algorithm.New().Sum(nil) // an empty object has no ranges to add
	}
	if l.parts != nil {
		return l.checkParts()
	}
	for i, sum := range l.sums {
		if sum == nil {
			return "", fmt.Errorf("%w: part %d has no checksum", failure.ErrChecksumMismatch, i+1)
		}
	}
	match := l.stored.MatchParts(l.sums)
	if !l.layout.Known() {
		match = l.stored.MatchDigest(l.sums[0])
	}
	switch {
	case match:
		return l.stored.String(), nil
	case l.stored.Kind == checksum.ETag:
		return "", fmt.Errorf("%w: %s is %s (use VerifyOff if the server's ETags are not MD5s)",
			failure.ErrChecksumMismatch, l.stored, l.stored.Value)
	}
	return "", fmt.Errorf("%w: %s is %s", failure.ErrChecksumMismatch, l.stored, l.stored.Value)
}

// checkParts compares the checksum of each part with its own.
func (l *Ledger) checkParts() (proved string, err error) {
	for i := l.from; i <= l.to; i++ {
		if !bytes.Equal(l.sums[i], l.parts[i].bytes()) {
			return "", fmt.Errorf("%w: the %s of part %d is %s", failure.ErrChecksumMismatch, l.stored.Algorithm, i+1, l.parts[i].Value)
		}
	}
	if l.from == l.to {
		return fmt.Sprintf("%s of part %d of %d", l.stored.Algorithm, l.from+1, l.layout.Count()), nil
	}
	return fmt.Sprintf("%s of parts %d to %d of %d", l.stored.Algorithm, l.from+1, l.to+1, l.layout.Count()), nil
}

// Strike removes the checksums of the parts that differ from the stored checksum of the part, and
// returns their indexes, so that they can be downloaded and added again. It ignores parts without a
// stored checksum.
func (l *Ledger) Strike(parts []PartSum) (bad []int) {
	for i, part := range parts {
		if l.parts != nil && (i < l.from || i > l.to) {
			continue
		}
		want := part.bytes()
		if part.Algorithm != l.stored.Algorithm || want == nil || i >= len(l.sums) || bytes.Equal(want, l.sums[i]) {
			continue
		}
		l.sums[i] = nil
		bad = append(bad, i)
	}
	return bad
}

// PartSum is the stored checksum of one part.
type PartSum struct {
	Algorithm checksum.Algorithm
	Value     string // base64
}

// bytes returns the checksum, or nil if the value is none.
func (p PartSum) bytes() []byte {
	sum, err := base64.StdEncoding.DecodeString(p.Value)
	if err != nil {
		return nil
	}
	return sum
}

// Covers reports whether each of the parts from one index to another has a checksum of the algorithm
// of stored, which is a composite one.
func Covers(parts []PartSum, from, to int, stored checksum.Stored) bool {
	if stored.Kind != checksum.Composite || to >= len(parts) {
		return false
	}
	size := stored.Algorithm.New().Size()
	for _, p := range parts[from : to+1] {
		if p.Algorithm != stored.Algorithm || len(p.bytes()) != size {
			return false
		}
	}
	return true
}
