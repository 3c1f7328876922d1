package proof

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
)

// Ledger takes the checksums of an object's ranges, in any order. It is not for
// concurrent use.
type Ledger struct {
	stored checksum.Stored
	layout Layout // of a stored value that covers parts: one section each
	size   int64

	sums [][]byte                 // by section; nil: not complete
	open map[int]*checksum.Pieces // sections of which something is there, where CRCs combine
}

// NewLedger opens the books for an object of size bytes of which S3 keeps stored.
// Where that covers the digests of parts, layout says which.
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

// Algorithm is what each range is to be summed with.
func (l *Ledger) Algorithm() checksum.Algorithm { return l.stored.Algorithm }

// Layout says which parts each have a checksum of their own, so that no range may
// cross their boundaries. It is not known where the object has one.
func (l *Ledger) Layout() Layout { return l.layout }

// Combines tells whether a section may be entered in pieces.
func (l *Ledger) Combines() bool { return l.stored.Algorithm.Combines() }

// Add enters a range that is in the file. It lies within one section.
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

// Check compares what was entered with what S3 keeps, and names the proof.
func (l *Ledger) Check() (proved string, err error) {
	if l.size == 0 && l.sums[0] == nil {
		l.sums[0] = l.stored.Algorithm.New().Sum(nil) // nothing was there to add
	}
	for i, sum := range l.sums {
		if sum == nil {
			return "", fmt.Errorf("%w: part %d was not summed", failure.ErrChecksumMismatch, i+1)
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
		return "", fmt.Errorf("%w: %s is %s (a server whose ETags are no MD5s needs VerifyOff)", failure.ErrChecksumMismatch, l.stored, l.stored.Value)
	}
	return "", fmt.Errorf("%w: %s is %s", failure.ErrChecksumMismatch, l.stored, l.stored.Value)
}

// Strike takes out the parts that differ from what S3 keeps of each, and returns
// which, so that they can be entered again. Parts of which S3 keeps nothing pass.
func (l *Ledger) Strike(parts []PartSum) (bad []int) {
	for i, part := range parts {
		want, err := base64.StdEncoding.DecodeString(part.Value)
		if part.Algorithm != l.stored.Algorithm || err != nil || i >= len(l.sums) || bytes.Equal(want, l.sums[i]) {
			continue
		}
		l.sums[i] = nil
		bad = append(bad, i)
	}
	return bad
}

// PartSum is what S3 keeps of one part.
type PartSum struct {
	Algorithm checksum.Algorithm
	Value     string // base64
}
