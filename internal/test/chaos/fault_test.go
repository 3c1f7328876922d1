//go:build linux

package chaos

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// kind is a kind of fault at a request of one download.
type kind struct {
	name  string
	head  bool             // applies to HeadObject, too
	costs bool             // uses up an attempt
	fatal bool             // retries do not help
	parts bool             // applies to requests for the parts of an object, and to no other
	ends  func(error) bool // reports whether the fault explains an error

	bend func(f *s3test.Fault, at int64)     // configures the fault of the origin
	do   func(r *run, t *transfer, at int64) // called while the request waits
	page func(t *tree, at int64) string      // the body of an answer to a listing; nil: other requests
}

// order is a fault of a plan.
type order struct {
	*kind
	method      string
	skip, times int
	at          int64 // an offset or a size; the meaning depends on the kind
	fatal       bool
	fault       *s3test.Fault // set by inject
}

func (o *order) String() string {
	return fmt.Sprintf("%s of %s: skip=%d times=%d at=%d fatal=%t", o.name, o.method, o.skip, o.times, o.at, o.fatal)
}

// passing are the kinds that a retry repairs, and some that are harmless.
var passing = []*kind{
	{name: "cut before the headers", head: true, costs: true, bend: func(f *s3test.Fault, _ int64) { f.Cut, f.CutAfter = true, -1 }},
	{name: "reset before the headers", head: true, costs: true, bend: func(f *s3test.Fault, _ int64) { f.Cut, f.Reset, f.CutAfter = true, true, -1 }},
	{name: "cut", costs: true, bend: func(f *s3test.Fault, at int64) { f.Cut, f.CutAfter = true, at }},
	{name: "reset", costs: true, bend: func(f *s3test.Fault, at int64) { f.Cut, f.Reset, f.CutAfter = true, true, at }},
	{name: "500", head: true, costs: true, bend: func(f *s3test.Fault, _ int64) { f.Status = 500 }},
	{name: "503", head: true, costs: true, bend: func(f *s3test.Fault, _ int64) { f.Status = 503 }},
	{name: "request timeout", costs: true, bend: func(f *s3test.Fault, _ int64) { f.Status, f.Code = 400, "RequestTimeout" }},
	{name: "redirect", head: true, costs: true, bend: func(f *s3test.Fault, at int64) { f.Redirect = fmt.Sprint("region-", at) }},
	{name: "ignored range", costs: true, bend: func(f *s3test.Fault, _ int64) { f.IgnoreRange = true }},
	{name: "other range", costs: true, bend: func(f *s3test.Fault, at int64) { f.ShiftRange = at + 1 }},
	{name: "short range", costs: true, bend: func(f *s3test.Fault, at int64) { f.ShortBody = at + 1 }},
	{name: "bad Content-Range", costs: true, bend: header("Content-Range", "bytes 4-x/10")},
	{name: "no Content-Length", bend: header("Content-Length", "")},
	// For a whole object it is a different size.
	{name: "long body", costs: true, ends: is(processpool.ErrObjectChanged, processpool.ErrSizeMismatch), bend: func(f *s3test.Fault, _ int64) { f.ExtraBytes = 1 }},
	{name: "long body in chunks", costs: true, bend: func(f *s3test.Fault, _ int64) {
		f.ExtraBytes, f.Header = 1, map[string]string{"Content-Length": ""}
	}},
	{name: "small Content-Length", costs: true, ends: is(processpool.ErrObjectChanged, processpool.ErrSizeMismatch), bend: header("Content-Length", "0")},
	{name: "delay", head: true, bend: func(f *s3test.Fault, _ int64) { f.Delay = 50 * time.Millisecond }},
	{name: "trickle", bend: func(f *s3test.Fault, at int64) { f.Trickle, f.TrickleBytes = 5*time.Millisecond, int(at)/8+1 }},
}

// waiting are the kinds that only StallTimeout ends.
var waiting = []*kind{
	{name: "no answer", head: true, costs: true, bend: func(f *s3test.Fault, _ int64) { f.Gate = make(chan struct{}) }},
	{name: "stall", costs: true, bend: func(f *s3test.Fault, at int64) { f.Stall, f.StallAfter = true, at }},
}

// lying are the kinds that deliver wrong bytes without any other sign.
var lying = []*kind{
	{name: "flipped bit", fatal: true, ends: is(processpool.ErrChecksumMismatch), bend: func(f *s3test.Fault, at int64) {
		f.Flip, f.FlipAt = true, at
	}},
	{name: "other range under the right name", ends: is(processpool.ErrChecksumMismatch), bend: func(f *s3test.Fault, at int64) {
		f.ShiftRange, f.LieRange = at+1, true
	}},
}

// overwritten replaces the object. If the object has no ETag, only its size or its checksum shows
// the change; see explained.
var overwritten = &kind{
	name: "overwritten", head: true, do: func(r *run, t *transfer, at int64) { t.put(r, at) },
	ends: is(processpool.ErrObjectChanged, processpool.ErrSizeMismatch, processpool.ErrChecksumMismatch, processpool.ErrUnverifiable),
}

// final are the kinds that end a download.
var final = []*kind{
	{name: "403", head: true, fatal: true, ends: status(403), bend: func(f *s3test.Fault, _ int64) { f.Status = 403 }},
	// Of an empty object, it contradicts HeadObject, which is then asked again.
	{name: "412", fatal: true, ends: status(412), bend: func(f *s3test.Fault, _ int64) { f.Status = 412 }},
	{name: "416", fatal: true, ends: is(processpool.ErrObjectChanged, processpool.ErrSizeMismatch), bend: func(f *s3test.Fault, _ int64) { f.Status = 416 }},
	{name: "wrong ETag", ends: is(processpool.ErrObjectChanged, processpool.ErrUnverifiable), bend: header("ETag", `"other"`)},
	overwritten, overwritten, overwritten,
	{name: "overwritten, If-Match ignored", ends: overwritten.ends, do: overwritten.do, bend: func(f *s3test.Fault, _ int64) { f.IgnoreIfMatch = true }},
	{name: "deleted", head: true, ends: status(404), do: func(r *run, t *transfer, _ int64) { r.origin.Delete(bucket, t.key) }},
	{name: "directory removed", head: true, fatal: true, ends: is(sink.ErrReplaced, fs.ErrNotExist), do: func(_ *run, t *transfer, _ int64) { t.removeDirectory() }},
	{name: "directory at the destination", head: true, fatal: true, ends: is(sink.ErrNotRegular), do: func(_ *run, t *transfer, _ int64) { t.makeDirectory() }},
}

var (
	secret   = &kind{name: "no word of parts", parts: true, ends: is(processpool.ErrUnverifiable, processpool.ErrChecksumMismatch), bend: func(f *s3test.Fault, _ int64) { f.Status = 403 }}
	expired  = &kind{name: "expired token", do: func(r *run, _ *transfer, _ int64) { r.renew() }}
	canceled = &kind{name: "cancel", head: true, ends: is(processpool.ErrCanceled), do: func(_ *run, t *transfer, _ int64) { t.cancel() }}
)

func header(name, value string) func(*s3test.Fault, int64) {
	return func(f *s3test.Fault, _ int64) { f.Header = map[string]string{name: value} }
}

// is returns a function that reports whether an error matches one of want.
func is(want ...error) func(error) bool {
	return func(err error) bool {
		for _, w := range want {
			if errors.Is(err, w) {
				return true
			}
		}
		return false
	}
}

// status returns a function that reports whether an error is a response of S3 with the given
// status.
func status(code int) func(error) bool {
	return func(err error) bool {
		var response *awshttp.ResponseError
		return errors.As(err, &response) && response.HTTPStatusCode() == code
	}
}

// asksForParts reports whether a request is for the parts of an object, and not for its content.
func asksForParts(r s3test.Request) bool {
	return r.PartNumber != "" || r.Method == http.MethodGet && r.Query.Has("attributes")
}

// inject adds the fault to the origin.
func (o *order) inject(r *run, t *transfer) {
	f := s3test.Fault{Key: t.key, Method: o.method, Skip: o.skip, Times: o.times}
	f.Match = func(q s3test.Request) bool { return asksForParts(q) == o.parts && o.reaches(q) }
	if o.bend != nil {
		o.bend(&f, o.at)
	}
	if o.kind == partless {
		body := fmt.Sprintf("<GetObjectAttributesResponse><ETag>%s</ETag></GetObjectAttributesResponse>", t.versions[0].etag)
		f.Body = &body
	}
	if o.do != nil {
		f.Do = func(*s3test.Server, s3test.Request) { o.do(r, t, o.at) }
	}
	o.fault = r.origin.Inject(f)
}

// reaches reports whether a request includes the byte to flip. It is always true for the other
// kinds.
func (o *order) reaches(q s3test.Request) bool {
	var first, last int64
	if o.kind != lying[0] || q.Range == "" {
		return true
	}
	fmt.Sscanf(q.Range, "bytes=%d-%d", &first, &last)
	return first <= o.at && o.at <= last
}
