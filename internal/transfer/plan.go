package transfer

import (
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
	size      int64            // the object's, in bytes, or ipc.SizeUnknown
	confirmed bool             // by S3; else size must yet be confirmed
	expected  bool             // size is what the caller expects
	whole     bool             // one GetObject without a Range
	chunk     int64            // the most bytes of a range
	layout    proof.Layout     // parts that no range may cross; not known: there are none
	undivided bool             // a part is one range, whatever its size
	stored    *checksum.Stored // what verifies the object; nil: nothing does, or it is not known yet
}

// planObject makes the plan of an object that S3 has told of. The error is ErrUnverifiable.
//
// A checksum that does not combine verifies an object only if it is one range. One that is small
// enough is; where verification is required, a larger one becomes one.
func planObject(o ipc.Object, r *Request) (plan, error) {
	cut := r.Cut(o.Size)
	p := plan{size: o.Size, confirmed: true, whole: cut.Whole, chunk: cut.Chunk}
	small := cut.Whole || o.Size <= cut.Chunk
	if small {
		p.chunk = o.Size
	}
	if r.Verify == VerifyOff {
		return p, nil
	}
	stored, ok := proof.Choose(o.Stored, small || r.Verify == VerifyRequired, o.Layout)
	switch {
	case !ok && r.Verify == VerifyRequired:
		return plan{}, failure.ErrUnverifiable
	case !ok:
		return p, nil
	case proof.OfParts([]checksum.Stored{stored}):
		p.whole, p.chunk = false, cut.Chunk
		p.layout, p.undivided = o.Layout, !stored.Algorithm.Combines()
	case !stored.Algorithm.Combines():
		p.chunk = o.Size
	}
	p.stored = &stored
	return p, nil
}

// planExpected makes the plan of an object that has the size which the caller expects. Only the
// answer to a request without a Range names the object's checksum for sure.
func planExpected(size int64, r *Request) plan {
	cut := r.Cut(size)
	p := plan{size: size, expected: size == r.ExpectedSize, whole: cut.Whole || size == 0 || r.Verify == VerifyRequired, chunk: cut.Chunk}
	if p.whole {
		p.chunk = size
	}
	return p
}

// planUnknown makes the plan of an object whose size its own answer will tell.
func planUnknown() plan {
	return plan{size: ipc.SizeUnknown, whole: true}
}

// confirm makes the plan of an object that the first GetObject has told of. chosen is what its
// worker verifies the bytes by, nil for nothing. The error is ErrUnverifiable.
func (p plan) confirm(o ipc.Object, chosen *checksum.Stored, r *Request) (plan, error) {
	if chosen == nil && r.Verify == VerifyRequired {
		return plan{}, failure.ErrUnverifiable
	}
	if p.size == ipc.SizeUnknown {
		p.size, p.chunk = o.Size, o.Size
	}
	p.confirmed, p.stored = true, chosen
	return p, nil
}

// oneRange reports whether the object is fetched as one range.
func (p plan) oneRange() bool { return p.chunk >= p.size }
