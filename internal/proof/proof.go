// Package proof decides what can prove an object's bytes, and holds what arrived
// against it.
package proof

import (
	"encoding/base64"
	"fmt"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
)

// Choose returns the stored checksum that a download can be held against: a CRC
// of the whole object, since the CRCs of ranges combine to it in any order; or a
// digest of the whole object, if it arrives as one range.
func Choose(stored []checksum.Stored, oneRange bool) (checksum.Stored, bool) {
	for _, s := range stored {
		if s.Kind == checksum.FullObject && s.Algorithm.Combines() {
			return s, true
		}
	}
	for _, s := range stored {
		if oneRange && (s.Kind == checksum.FullObject || s.Kind == checksum.ETag && s.Parts == 0) {
			return s, true
		}
	}
	return checksum.Stored{}, false
}

// Ledger takes the checksums of an object's ranges, in any order. It is not for
// concurrent use.
type Ledger struct {
	stored checksum.Stored
	pieces *checksum.Pieces
	digest []byte
}

// NewLedger opens the books for an object of which S3 keeps stored.
func NewLedger(stored checksum.Stored) *Ledger {
	l := &Ledger{stored: stored}
	if stored.Algorithm.Combines() {
		l.pieces = checksum.NewPieces(stored.Algorithm)
	}
	return l
}

// Combines tells whether a part of a range may be entered, and the rest later.
func (l *Ledger) Combines() bool { return l.pieces != nil }

// Add enters a range that is in the file.
func (l *Ledger) Add(offset, length int64, sum uint64, digest []byte) {
	if l.pieces != nil {
		l.pieces.Add(offset, length, sum)
		return
	}
	l.digest = digest
}

// Check compares what was entered with what S3 keeps, and names the proof.
func (l *Ledger) Check(size int64) (proved string, err error) {
	got := l.digest
	if l.pieces != nil {
		sum, whole := l.pieces.Whole(size)
		if !whole {
			return "", fmt.Errorf("%w: not every byte was summed", failure.ErrChecksumMismatch)
		}
		got = l.stored.Algorithm.Bytes(sum)
	} else if got == nil {
		h := l.stored.Algorithm.New() // an object of no bytes
		got = h.Sum(nil)
	}
	if !l.stored.MatchDigest(got) {
		return "", fmt.Errorf("%w: %s is %s, the bytes have %s", failure.ErrChecksumMismatch,
			l.stored, l.stored.Value, base64.StdEncoding.EncodeToString(got))
	}
	return l.stored.String(), nil
}
