// Package proof chooses the stored checksum that can verify an object, and compares it with the
// checksums of the received ranges.
package proof

import (
	"slices"

	"github.com/s3processpool/processpool/internal/checksum"
)

// OfParts reports whether any of the stored checksums is a digest of the digests of the object's
// parts.
func OfParts(stored []checksum.Stored) bool { return slices.ContainsFunc(stored, inParts) }

// Choose returns the stored checksum that can verify a download, in this order of preference: a CRC
// of the whole object, because the CRCs of ranges combine to it; a digest of the whole object, if
// it arrives as one range; a digest of the digests of its parts, if their boundaries are known. It
// chooses none that is checksum.Algorithm.Barred.
func Choose(stored []checksum.Stored, oneRange bool, layout Layout) (checksum.Stored, bool) {
	for _, s := range stored {
		if s.Kind == checksum.FullObject && s.Algorithm.Combines() {
			return s, true
		}
	}
	for _, s := range stored {
		whole := s.Kind == checksum.FullObject || s.Kind == checksum.ETag && s.Parts == 0
		parts := inParts(s) && layout.Known() && (s.Parts == 0 || s.Parts == layout.Count())
		if (oneRange && whole || parts) && !s.Algorithm.Barred() {
			return s, true
		}
	}
	return checksum.Stored{}, false
}
