package transfer

import (
	"fmt"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// Cut is how an object is split by its size alone.
type Cut struct {
	Whole bool  // one GetObject without a Range
	Chunk int64 // the most bytes of a range
}

// plan says what of an object is fetched, and what verifies it. It is a value that nobody changes:
// what becomes known later makes another plan.
type plan struct {
	size      int64             // the object's, in bytes, or ipc.SizeUnknown
	first     int64             // offset of the first byte that is fetched
	end       int64             // offset of the byte after the last one, or ipc.SizeUnknown
	confirmed bool              // by S3; else size must yet be confirmed
	expected  bool              // size is what the caller expects
	whole     bool              // one GetObject without a Range
	chunk     int64             // the most bytes of a range
	layout    proof.Layout      // parts that no range may cross; not known: there are none
	undivided bool              // a part is one range, whatever its size
	stored    *checksum.Stored  // what verifies the object; nil: nothing does, or it is not known yet
	parts     []proof.PartSum   // what verifies a range of whole parts instead
	readBack  []checksum.Stored // what must verify it besides, with the file read back; of one at most
}

// planObject makes the plan of an object that S3 has told of. The error is ErrUnverifiable, or
// ErrSizeMismatch for a range that is not in the object.
//
// A checksum that does not combine verifies an object only if it is one range. Where verification
// is required, the file of a larger one is read back; one that cannot be read becomes one range.
func planObject(o ipc.Object, parts []proof.PartSum, r *Request) (plan, error) {
	first, end, ok := r.Range.In(o.Size)
	switch {
	case !ok:
		return plan{}, beyond(r.Range, o.Size)
	case first > 0 || end < o.Size:
		return planRange(o, parts, first, end, r)
	}
	cut := r.Cut(o.Size)
	p := plan{size: o.Size, end: o.Size, confirmed: true, whole: cut.Whole, chunk: cut.Chunk}
	small := cut.Whole || o.Size <= cut.Chunk
	if small {
		p.chunk = o.Size
	}
	if r.Verify == VerifyOff {
		return p, nil
	}
	stored, ok := proof.Choose(o.Stored, small, o.Layout)
	if !ok && r.Verify == VerifyRequired {
		stored, ok := proof.Choose(o.Stored, true, o.Layout)
		switch {
		case ok && r.blind: // one range, whose digest is computed while it arrives
			p.chunk, p.stored = o.Size, &stored
		case ok:
			p.readBack = []checksum.Stored{stored}
		case len(r.Expect) == 0:
			return plan{}, unverifiable(o)
		}
		return p, nil
	}
	switch {
	case !ok:
		return p, nil
	case proof.OfParts([]checksum.Stored{stored}):
		p.whole, p.chunk = false, cut.Chunk
		p.layout, p.undivided = o.Layout, !stored.Algorithm.Combines()
	}
	p.stored = &stored
	return p, nil
}

// beyond returns the error of a range that is not in an object of size bytes.
func beyond(r *ipc.Range, size int64) error {
	if r.Length == 0 {
		return fmt.Errorf("%w: the range begins at %d, the object has %d bytes", failure.ErrSizeMismatch, r.Offset, size)
	}
	return fmt.Errorf("%w: the range is %d bytes at %d, the object has %d bytes",
		failure.ErrSizeMismatch, r.Length, r.Offset, size)
}

// planRange makes the plan of a part of an object. No checksum of the object verifies it. Where it is
// whole parts of the upload of which S3 keeps checksums, those do.
func planRange(o ipc.Object, parts []proof.PartSum, first, end int64, r *Request) (plan, error) {
	p := plan{size: o.Size, first: first, end: end, confirmed: true}.cut(r)
	from, to, whole := o.Layout.Parts(first, end)
	for _, stored := range o.Stored {
		if whole && r.Verify != VerifyOff && proof.Covers(parts, from, to, stored) {
			p.chunk = r.Cut(end - first).Chunk
			p.layout, p.undivided = o.Layout, !stored.Algorithm.Combines()
			p.stored, p.parts = &stored, parts
			return p, nil
		}
	}
	if r.Verify == VerifyRequired {
		return plan{}, fmt.Errorf("%w: S3 keeps no checksum of a range, unless it is whole parts of an upload with checksums",
			failure.ErrUnverifiable)
	}
	return p, nil
}

// cut cuts a part of an object as the rule cuts an object of that size.
func (p plan) cut(r *Request) plan {
	cut := r.Cut(p.length())
	if p.chunk = cut.Chunk; cut.Whole {
		p.chunk = max(p.length(), 1)
	}
	return p
}

// planExpected makes the plan of an object that has the size which the caller expects. Only the
// answer to a request without a Range names the object's checksum for sure. The error is
// ErrSizeMismatch for a range that is not in such an object.
func planExpected(size int64, r *Request) (plan, error) {
	first, end, ok := r.Range.In(size)
	if !ok {
		return plan{}, beyond(r.Range, size)
	}
	p := plan{size: size, first: first, end: end, expected: size == r.ExpectedSize}
	if p.partial() {
		return p.cut(r), nil
	}
	cut := r.Cut(size)
	p.whole, p.chunk = cut.Whole || size == 0 || r.Verify == VerifyRequired, cut.Chunk
	if p.whole {
		p.chunk = size
	}
	return p, nil
}

// planUnknown makes the plan of an object whose size its own answer will tell. If only a range of it
// is wanted, the range's length is known, and it is fetched at once.
func planUnknown(r *Request) plan {
	if r.Range == nil {
		return plan{size: ipc.SizeUnknown, end: ipc.SizeUnknown, whole: true}
	}
	return plan{size: ipc.SizeUnknown, first: r.Range.Offset, end: r.Range.Offset + r.Range.Length, chunk: r.Range.Length}
}

// length is how many bytes are fetched, or ipc.SizeUnknown.
func (p plan) length() int64 {
	if p.end == ipc.SizeUnknown {
		return ipc.SizeUnknown
	}
	return p.end - p.first
}

// partial reports whether a part of the object is not fetched.
func (p plan) partial() bool { return p.first > 0 || p.end != p.size }

// confirm makes the plan of an object that the first GetObject has told of. chosen is what its
// worker verifies the bytes by, nil for nothing. The error is ErrUnverifiable.
func (p plan) confirm(o ipc.Object, chosen *checksum.Stored, r *Request) (plan, error) {
	if chosen == nil && r.Verify == VerifyRequired && len(r.Expect) == 0 {
		return plan{}, unverifiable(o)
	}
	p.size = o.Size
	if p.end == ipc.SizeUnknown {
		p.end, p.chunk = o.Size, o.Size
	}
	p.confirmed, p.stored = true, chosen
	return p, nil
}

// unverifiable returns the error of an object that must be verified, and cannot be.
func unverifiable(o ipc.Object) error {
	if o.Barred {
		return fmt.Errorf("%w: it keeps MD5 or SHA1, which FIPS 140-only mode (GODEBUG=fips140=only) refuses", failure.ErrUnverifiable)
	}
	return failure.ErrUnverifiable
}

// oneRange reports whether the object is fetched as one range.
func (p plan) oneRange() bool { return !p.partial() && p.chunk >= p.size }
