package fetch

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// errUnsuited ends a Get with a Limit whose object is beyond it.
var errUnsuited = errors.New("the object is too large for a Get without a HeadObject")

// check compares an answer's status and header with the request. Only the body of an answer that
// passes may be written to the file: some servers ignore Range, some ignore If-Match, some answer
// with another range.
func (g *get) check(out *s3.GetObjectOutput) error {
	object := objectOfGet(out)
	if want := g.etag(); want != "" && object.ETag != "" && !sameETag(want, object.ETag) {
		return fmt.Errorf("%w: its ETag was %s and is %s", failure.ErrObjectChanged, want, object.ETag)
	}
	length := int64(ipc.SizeUnknown)
	if out.ContentLength != nil {
		length = *out.ContentLength
	}
	var err error
	switch status := statusOf(out.ResultMetadata); {
	case status == http.StatusPartialContent && !g.whole():
		err = g.checkRange(aws.ToString(out.ContentRange), length, &object)
	case status == http.StatusOK && g.whole() && g.size == ipc.SizeUnknown:
		err = g.learnSize(length, &object)
	case status == http.StatusOK && (g.whole() || g.first() == 0 && g.last() == g.size-1):
		// A server may answer a Range that covers the whole object with the whole object.
		err = g.checkLength(length)
	default:
		err = fmt.Errorf("%w: status %d to a request for %s", failure.ErrUnexpected, status, g.asked())
	}
	if err != nil {
		return err
	}
	object.Size = g.size
	if g.confirmed {
		object.Stored = g.object.Stored // of the first answer
	}
	g.object = object
	return nil
}

// checkRange checks an answer with a part of the object.
func (g *get) checkRange(contentRange string, length int64, object *ipc.Object) error {
	r, err := parseContentRange(contentRange)
	if err != nil {
		return err
	}
	if r.total != ipc.SizeUnknown && r.total != g.size {
		return g.otherSize(r.total)
	}
	if r.first != g.first() || r.last != g.last() {
		return fmt.Errorf("%w: asked for %s, got bytes %d-%d", failure.ErrUnexpected, g.asked(), r.first, r.last)
	}
	if want := g.last() - g.first() + 1; length >= 0 && length != want {
		return fmt.Errorf("%w: Content-Length is %d for a range of %d bytes", failure.ErrUnexpected, length, want)
	}
	if r.first > 0 || r.last < g.size-1 {
		// A checksum that comes with a part of the object is the part's or the object's: nothing in
		// the answer tells which. The ETag is always the object's.
		object.Stored = checksums{}.stored("", object)
	}
	return nil
}

// learnSize takes the size of an object of unknown size from the first answer.
func (g *get) learnSize(length int64, object *ipc.Object) error {
	if length < 0 || length >= g.want.Limit || g.want.Choose && proof.OfParts(object.Stored) {
		return errUnsuited
	}
	g.size, g.length = length, length
	return nil
}

// checkLength checks an answer with the whole object. It may have no Content-Length.
func (g *get) checkLength(length int64) error {
	if length >= 0 && length != g.size {
		return g.otherSize(length)
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

// expected reports whether the job's size is one that the caller expects, and no answer's.
func (g *get) expected() bool { return g.want.Unconfirmed && g.want.Limit == 0 }

// otherSize returns the error of an answer whose size contradicts the caller's or HeadObject's.
func (g *get) otherSize(size int64) error {
	if g.expected() {
		return fmt.Errorf("%w: expected %d bytes, the object has %d", failure.ErrSizeMismatch, g.size, size)
	}
	return fmt.Errorf("%w: it had %d bytes and has %d", failure.ErrObjectChanged, g.size, size)
}

// explain adds to an error of S3 what it means for the download.
func (g *get) explain(err error) error {
	var response interface{ HTTPStatusCode() int }
	if !errors.As(err, &response) {
		return err
	}
	switch response.HTTPStatusCode() {
	case http.StatusPreconditionFailed:
		return fmt.Errorf("%w: %w", failure.ErrObjectChanged, err)
	case http.StatusRequestedRangeNotSatisfiable:
		if g.expected() {
			return fmt.Errorf("%w: expected %d bytes: %w", failure.ErrSizeMismatch, g.size, err)
		}
		return fmt.Errorf("%w: it had %d bytes: %w", failure.ErrObjectChanged, g.size, err)
	}
	return err
}

// sameETag compares entity tags weakly (RFC 9110, 8.8.3.2). It ignores the quotes, which some
// servers omit.
func sameETag(a, b string) bool {
	trim := func(tag string) string { return strings.Trim(strings.TrimPrefix(tag, "W/"), `"`) }
	return trim(a) == trim(b)
}
