package s3test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// exchange is the state of one request in the server.
type exchange struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	req   Request
	fault *Fault
	end   func() // marks the request as no longer in progress
}

// ServeHTTP serves a path-style request. It does not use a ServeMux, which would clean the path:
// a/../b and a//b are valid keys in S3.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.conns.Add(1)
	defer s.conns.Done()

	req := newRequest(r)
	end := s.log.begin(&req)
	defer end()
	x := &exchange{s: s, w: w, r: r, req: req, fault: s.faults.take(req), end: end}
	x.before()
	x.serve()
}

// before performs the actions of the fault that precede the response.
func (x *exchange) before() {
	f := x.fault
	if f.Do != nil {
		f.Do(x.s, x.req)
	}
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		wait(x, t.C)
	}
	if f.Gate != nil {
		wait(x, f.Gate)
	}
	if f.Cut && f.CutAfter < 0 {
		x.end()
		cut(x.w, f.Reset)
		panic(http.ErrAbortHandler)
	}
}

// wait waits for c. If the client disconnects or the server closes first, wait aborts the request
// and its connection, because net/http sends a response if the handler only returns.
func wait[T any](x *exchange, c <-chan T) {
	select {
	case <-c:
	case <-x.r.Context().Done():
		panic(http.ErrAbortHandler)
	case <-x.s.done:
		panic(http.ErrAbortHandler)
	}
}

func newRequest(r *http.Request) Request {
	// Split before decoding, because %2F is a slash in the key.
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	bucket, key, _ := strings.Cut(path, "/")
	query := r.URL.Query()
	return Request{
		Method:     r.Method,
		Bucket:     unescape(bucket),
		Key:        unescape(key),
		Range:      r.Header.Get("Range"),
		IfMatch:    r.Header.Get("If-Match"),
		VersionID:  query.Get("versionId"),
		PartNumber: query.Get("partNumber"),
		UserAgent:  r.UserAgent(),
		Header:     r.Header,
		Query:      query,
		Start:      time.Now(),
	}
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

func (x *exchange) serve() {
	h := x.w.Header()
	h.Set("Server", "AmazonS3")
	h.Set("X-Amz-Request-Id", x.requestID())
	h.Set("X-Amz-Id-2", x.hostID())
	if x.req.Header.Get("X-Amz-Request-Payer") != "" {
		h.Set("X-Amz-Request-Charged", "requester")
	}
	if e := x.fault.answer(); e != nil && x.fault.Body == nil {
		x.fail(e)
		return
	}
	if e := x.s.keys.check(x.r); e != nil {
		x.fail(e)
		return
	}
	if body := x.fault.Body; body != nil {
		x.w.Header().Set("Content-Type", "application/xml")
		x.answer(max(x.fault.Status, http.StatusOK), strings.NewReader(*body), span{0, int64(len(*body))})
		return
	}
	x.route()
}

func (x *exchange) route() {
	get, head := x.req.Method == http.MethodGet, x.req.Method == http.MethodHead
	owner := x.req.Header.Get("X-Amz-Expected-Bucket-Owner")
	switch {
	case !get && !head, x.req.Bucket == "":
		x.fail(errNotImplemented)
	case !x.s.store.has(x.req.Bucket):
		x.fail(errNoBucket)
	case owner != "" && owner != DefaultOwner:
		x.fail(errAccessDenied)
	case x.req.Key == "" && head:
		x.w.Header().Set("X-Amz-Bucket-Region", Region)
		x.answer(http.StatusOK, nil, span{})
	case x.req.Key == "" && x.req.Query.Get("list-type") == "2":
		x.list()
	case x.req.Key == "":
		x.fail(errNotImplemented)
	case get && x.req.Query.Has("attributes"):
		x.attributes()
	default:
		x.object()
	}
}

func (x *exchange) requestID() string {
	return fmt.Sprintf("%016X", pattern(1).word(uint64(x.req.Seq)))
}

func (x *exchange) hostID() string {
	return fmt.Sprintf("%032x", pattern(2).word(uint64(x.req.Seq)))
}
