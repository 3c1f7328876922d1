package s3test

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Fault is a failure that a test injects. The server applies to a request the first fault that
// matches it and has Times left, and no other. HEAD requests match like any other, although they
// have no body: set Method to exclude them.
type Fault struct {
	// The requests to match. The zero value of a field matches any request.
	Method, Bucket, Key string
	Range               string             // the exact Range header
	Match               func(Request) bool // an additional condition
	Skip                int                // number of matching requests to ignore first
	Times               int                // number of times the fault fires; 0: always

	// Actions before the response, in this order.
	Do    func(*Server, Request) // called when the fault fires, e.g. to overwrite the object
	Delay time.Duration          // time to wait
	Gate  <-chan struct{}        // wait until it is closed, the client disconnects or the server closes

	// Another response. A Status from 300 on is an S3 error with Code and Message ("": the usual
	// ones of S3 for this status). A 2xx only replaces the status.
	Status        int
	Code, Message string
	RetryAfter    string
	Redirect      string            // 301 PermanentRedirect to this region
	Header        map[string]string // response headers to override; "" removes a header
	Body          *string           // a 200, or Status, with this body and no header of the object

	// Another range than the requested one.
	IgnoreRange   bool  // 200 and the whole object, also for part numbers
	IgnoreIfMatch bool  // as if the request had no If-Match
	ShortBody     int64 // a correct 206 of at most this many bytes; 0: off
	ShiftRange    int64 // a correct 206, shifted by this many bytes (backwards at the end of the object)
	LieRange      bool  // with ShiftRange: send the Content-Range of the requested range
	ExtraBytes    int   // additional bytes; Content-Length includes them, Content-Range does not

	// A bad body. Sizes are in bytes of the body.
	Cut          bool // close the connection (FIN) after CutAfter bytes; < 0: before the headers
	CutAfter     int64
	Reset        bool // with Cut: RST; the client may lose some of the bytes before it
	Stall        bool // send nothing after StallAfter bytes until the client or the server closes
	StallAfter   int64
	Trickle      time.Duration // pause after each piece of the body
	TrickleBytes int           // size of a piece; 0: 1 MiB, or 1 KiB with Trickle
	Flip         bool          // flip one bit of the byte at FlipAt, an offset in the object
	FlipAt       int64

	list        *faultList
	seen, fired int // guarded by list.mu
}

// Hits returns the number of times that the fault has fired.
func (f *Fault) Hits() int {
	f.list.mu.Lock()
	defer f.list.mu.Unlock()
	return f.fired
}

type faultList struct {
	mu struct {
		sync.Mutex
		faults []*Fault
	}
}

// Inject adds f after the existing faults and returns the stored copy.
func (s *Server) Inject(f Fault) *Fault {
	f.list = &s.faults
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.mu.faults = append(s.faults.mu.faults, &f)
	return &f
}

// ClearFaults removes all faults. It does not affect requests to which a fault has been applied.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.mu.faults = nil
}

// take returns the fault to apply to r, or a Fault without effect if there is none.
func (l *faultList) take(r Request) *Fault {
	l.mu.Lock()
	faults := slices.Clone(l.mu.faults)
	l.mu.Unlock()
	for _, f := range faults {
		if f.matches(r) && l.count(f) { // Match may call the server, so l.mu is not held
			return f
		}
	}
	return &Fault{}
}

func (f *Fault) matches(r Request) bool {
	return (f.Method == "" || f.Method == r.Method) &&
		(f.Bucket == "" || f.Bucket == r.Bucket) &&
		(f.Key == "" || f.Key == r.Key) &&
		(f.Range == "" || f.Range == r.Range) &&
		(f.Match == nil || f.Match(r))
}

func (l *faultList) count(f *Fault) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.seen++
	if f.seen <= f.Skip || f.Times > 0 && f.fired >= f.Times {
		return false
	}
	f.fired++
	return true
}

// answer returns the error to send instead of the object, nil for none.
func (f *Fault) answer() *apiError {
	switch {
	case f.Redirect != "":
		return errRedirect.with(f.Message)
	case f.Code != "" || f.Status >= 300:
		e := errorOf(f.Status).with(f.Message)
		if f.Code != "" {
			e.code = f.Code
		}
		return e
	}
	return nil
}

// header overrides response headers. It is called after all other headers are set.
func (f *Fault) header(h http.Header) {
	if f.RetryAfter != "" {
		h.Set("Retry-After", f.RetryAfter)
	}
	if f.Redirect != "" {
		h.Set("X-Amz-Bucket-Region", f.Redirect)
	}
	for name, value := range f.Header {
		if value == "" {
			h[http.CanonicalHeaderKey(name)] = nil // net/http would add a default after Del
		} else {
			h.Set(name, value)
		}
	}
}
