package fetch

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/s3processpool/processpool/internal/answer"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// errUnsuited ends a Get with a Limit whose object is beyond it.
var errUnsuited = errors.New("the object is too large for a Get without a HeadObject")

// check compares an answer's header with the request. Only the body of an answer that passes may be
// written to the file: some servers ignore Range, some ignore If-Match, some answer with another
// range.
func (g *get) check(got *answer.Object) error {
	want := g.etag()
	if want != "" && got.ETag != "" && !answer.SameETag(want, got.ETag) {
		return fmt.Errorf("%w: its ETag was %s and is %s", failure.ErrObjectChanged, want, got.ETag)
	}
	if !g.confirmed {
		if err := conditions(got.ETag, "", g.want.IfNoneMatch); err != nil {
			return err
		}
	}
	var err error
	switch {
	case got.Partial && g.whole():
		err = fmt.Errorf("%w: status 206 to a request for the whole object", failure.ErrUnexpected)
	case got.Partial:
		err = g.checkRange(got)
	case g.whole() && g.size == ipc.SizeUnknown:
		err = g.learnSize(got)
	case g.whole(), g.covers():
		// A server may answer a Range that covers the whole object with the whole object, and one
		// that does not know ranges does so when the Get goes on behind a break (RFC 9110, 14.2).
		err = g.checkLength(got)
	default:
		err = fmt.Errorf("%w: the server ignores Range: status 200 to a request for %s", failure.ErrUnexpected, g.asked())
	}
	if err != nil {
		return err
	}
	object := got.Object
	object.Size = g.size
	if g.confirmed {
		object.Stored, object.Barred = g.object.Stored, g.object.Barred // of the first answer
	}
	g.object = object
	return nil
}

// checkRange checks an answer with a part of the object.
func (g *get) checkRange(got *answer.Object) error {
	r := got.Range
	switch {
	case g.size != ipc.SizeUnknown:
		if r.Total != ipc.SizeUnknown && r.Total != g.size {
			return g.otherSize(got, r.Total)
		}
	case r.Total == ipc.SizeUnknown:
		return fmt.Errorf("%w: a Content-Range without the object's size", failure.ErrUnexpected)
	case r.Total <= g.last():
		return g.beyond(r.Total)
	}
	if r.First != g.first() || r.Last != g.last() {
		return fmt.Errorf("%w: asked for %s, got bytes %d-%d", failure.ErrUnexpected, g.asked(), r.First, r.Last)
	}
	g.size = max(g.size, r.Total)
	return nil
}

// learnSize takes the size of an object of unknown size from the first answer.
func (g *get) learnSize(got *answer.Object) error {
	if got.Length == ipc.SizeUnknown || got.Length >= g.want.Limit || g.want.Choose && proof.NeedsLayout(got.Stored) {
		return errUnsuited
	}
	g.size, g.length = got.Length, got.Length
	return nil
}

// checkLength checks an answer with the whole object. It may have no Content-Length.
func (g *get) checkLength(got *answer.Object) error {
	if got.Length != ipc.SizeUnknown && got.Length != g.size {
		return g.otherSize(got, got.Length)
	}
	return nil
}

// asked describes the request, for errors.
func (g *get) asked() string {
	if g.whole() {
		return "the whole object"
	}
	return fmt.Sprintf("bytes %d-%d", g.first(), g.last())
}

// expected reports whether the job's size is what the caller expects, and not what an answer told.
func (g *get) expected() bool { return g.want.Expected }

// beyond returns the error of a caller's range that is not in an object of size bytes.
func (g *get) beyond(size int64) error {
	return fmt.Errorf("%w: asked for %s, the object has %d bytes", failure.ErrSizeMismatch, g.asked(), size)
}

// otherSize returns the error of an answer whose size contradicts the caller's or an earlier
// answer's.
func (g *get) otherSize(got *answer.Object, size int64) error {
	switch {
	case g.expected():
		return fmt.Errorf("%w: expected %d bytes, the object has %d", failure.ErrSizeMismatch, g.size, size)
	case g.size == 0:
		// The object is the same as far as its ETag tells. Some servers say 0 for an object whose
		// size they have lost.
		return fmt.Errorf("%w: the object's size was said to be 0 bytes, and GetObject has %d", failure.ErrUnexpected, size)
	case g.etag() != "" && got.ETag == "":
		// The object has an ETag, and an answer without one may be about anything.
		return fmt.Errorf("%w: it has no ETag, and %d bytes instead of %d", failure.ErrUnexpected, size, g.size)
	}
	return fmt.Errorf("%w: it had %d bytes and has %d", failure.ErrObjectChanged, g.size, size)
}

// explain adds to an error of S3 what it means for the download.
func (g *get) explain(err error) error {
	switch answer.Status(err) {
	case http.StatusPreconditionFailed, http.StatusNotModified:
		return conditional(err)
	case http.StatusRequestedRangeNotSatisfiable:
		size, told := answer.Unsatisfied(err)
		switch {
		case g.size == ipc.SizeUnknown && told && size > g.last():
			return fmt.Errorf("%w: %s of %d bytes refused: %w", failure.ErrUnexpected, g.asked(), size, err)
		case g.size == ipc.SizeUnknown:
			return fmt.Errorf("%w: the object does not have %s: %w", failure.ErrSizeMismatch, g.asked(), err)
		case told && size == g.size && size > 0:
			return fmt.Errorf("%w: %s of %d bytes refused: %w", failure.ErrUnexpected, g.asked(), size, err)
		case g.expected():
			return fmt.Errorf("%w: expected %d bytes: %w", failure.ErrSizeMismatch, g.size, err)
		}
		return fmt.Errorf("%w: it had %d bytes: %w", failure.ErrObjectChanged, g.size, err)
	}
	return err
}
