package fetch

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/proof"
)

// errUnsuited ends a Job with a Limit that has met an object beyond it.
var errUnsuited = errors.New("the object takes a HeadObject")

// check holds an answer's head against the request. Only an answer that passes
// every line of it may be written to the file: some servers ignore Range, some
// ignore If-Match, some answer with another range.
func (g *get) check(out *s3.GetObjectOutput) error {
	status := statusOf(out.ResultMetadata)
	object := objectOfGet(out)
	length := int64(-1)
	if out.ContentLength != nil {
		length = *out.ContentLength
	}
	if pin := g.pin(); pin != "" && object.ETag != "" && !sameETag(pin, object.ETag) {
		return fmt.Errorf("%w: its ETag was %s and is %s", failure.ErrObjectChanged, pin, object.ETag)
	}
	switch {
	case status == http.StatusPartialContent && !g.whole():
		r, err := parseContentRange(aws.ToString(out.ContentRange))
		if err != nil {
			return err
		}
		if r.total >= 0 && r.total != g.job.Size {
			return g.anotherSize(r.total)
		}
		if r.first != g.first() || r.last != g.last() {
			return fmt.Errorf("%w: asked for bytes %d-%d, got bytes %d-%d", failure.ErrUnexpected, g.first(), g.last(), r.first, r.last)
		}
		if want := g.last() - g.first() + 1; length >= 0 && length != want {
			return fmt.Errorf("%w: a range of %d bytes comes with Content-Length %d", failure.ErrUnexpected, want, length)
		}
		object.Size = g.job.Size
		if r.first > 0 || r.last < object.Size-1 {
			// A checksum that comes with a part of the object is the part's or the
			// object's, and which is not for sure. The ETag is the object's.
			object.Stored = checksums{}.stored("", &object)
		}
	case status == http.StatusOK && g.whole() && g.job.Size < 0:
		if length < 0 || length >= g.job.Limit || g.job.Choose && proof.OfParts(object.Stored) {
			return errUnsuited
		}
		g.job.Size, g.job.Length = length, length
		object.Size = length
	case status == http.StatusOK && (g.whole() || g.first() == 0 && g.last() == g.job.Size-1):
		// A whole object in answer to a Range that covers it is what was asked for.
		if length >= 0 && length != g.job.Size {
			return g.anotherSize(length)
		}
		object.Size = g.job.Size
	default:
		return fmt.Errorf("%w: status %d to a request for %s", failure.ErrUnexpected, status, g.asked())
	}
	if g.confirmed {
		object.Stored = g.object.Stored // as the first answer told
	}
	g.object = object
	return nil
}

func (g *get) asked() string {
	if g.whole() {
		return "the whole object"
	}
	return fmt.Sprintf("bytes %d-%d", g.first(), g.last())
}

// expected tells that the job's size is the caller's word.
func (g *get) expected() bool { return g.job.Unconfirmed && g.job.Limit == 0 }

// anotherSize is a contradiction of the caller's word, or else of HeadObject's.
func (g *get) anotherSize(size int64) error {
	if g.expected() {
		return fmt.Errorf("%w: expected %d bytes, the object has %d", failure.ErrSizeMismatch, g.job.Size, size)
	}
	return fmt.Errorf("%w: it had %d bytes and has %d", failure.ErrObjectChanged, g.job.Size, size)
}

// explain adds to an error what it means for a download.
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
			return fmt.Errorf("%w: expected %d bytes: %w", failure.ErrSizeMismatch, g.job.Size, err)
		}
		return fmt.Errorf("%w: it had %d bytes: %w", failure.ErrObjectChanged, g.job.Size, err)
	}
	return err
}

// sameETag compares entity tags as RFC 9110, 8.8.3.2 does weakly, and leaves out the quotes
// that some servers forget.
func sameETag(a, b string) bool {
	trim := func(tag string) string { return strings.Trim(strings.TrimPrefix(tag, "W/"), `"`) }
	return trim(a) == trim(b)
}

// contentRange is a Content-Range of a 206; total is -1 where it is "*".
type contentRange struct{ first, last, total int64 }

// parseContentRange reads "bytes first-last/total" (RFC 9110, 14.4).
func parseContentRange(s string) (contentRange, error) {
	bad := fmt.Errorf("%w: Content-Range %q", failure.ErrUnexpected, s)
	unit, rest, ok := strings.Cut(s, " ")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return contentRange{}, bad
	}
	span, total, ok := strings.Cut(rest, "/")
	if !ok {
		return contentRange{}, bad
	}
	first, last, ok := strings.Cut(span, "-")
	if !ok {
		return contentRange{}, bad
	}
	r := contentRange{total: -1}
	var err error
	if r.first, err = number(first); err != nil {
		return contentRange{}, bad
	}
	if r.last, err = number(last); err != nil || r.last < r.first {
		return contentRange{}, bad
	}
	if total != "*" {
		if r.total, err = number(total); err != nil || r.last >= r.total {
			return contentRange{}, bad
		}
	}
	return r, nil
}

// number reads digits alone: no sign, no space.
func number(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}
