package s3test

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Fault is something a test orders to go wrong. The first fault that matches
// a request and has Times left is applied to it; no other is. HEAD requests
// count like others, though they have no body to spoil: set Method.
type Fault struct {
	// Which requests. The zero value of a field stands for any.
	Method, Bucket, Key string
	Range               string             // the exact Range header
	Match               func(Request) bool // a further condition
	Skip                int                // let so many matching requests pass first
	Times               int                // how often; 0 = always

	// Before the answer, in this order.
	Do    func(*Server, Request) // called when the fault fires, e.g. to overwrite the object
	Delay time.Duration          // wait so long
	Gate  <-chan struct{}        // wait until it is closed, the client leaves or the server closes

	// Another answer. Status from 300 on is an S3 error with Code and Message
	// ("" = what S3 says with this status); a 2xx only replaces the status.
	Status        int
	Code, Message string
	RetryAfter    string
	Redirect      string            // 301 PermanentRedirect to this region
	Header        map[string]string // response headers to override; "" removes

	// Another range than asked for.
	IgnoreRange   bool  // 200 and the whole object; for part numbers too
	IgnoreIfMatch bool  // as if no If-Match had been sent
	ShortBody     int64 // an honest 206 of so many bytes at most; 0 = off
	ShiftRange    int64 // an honest 206 of as many bytes so far away (the other way where the object ends)
	LieRange      bool  // with ShiftRange: Content-Range as asked
	ExtraBytes    int   // so many bytes more than asked; Content-Length counts them, Content-Range does not

	// A bad body. Sizes count bytes of the body.
	Cut          bool // close the connection (FIN) after CutAfter bytes; < 0: before the headers
	CutAfter     int64
	Reset        bool // with Cut: RST; the client may lose some of the bytes before it
	Stall        bool // send nothing after StallAfter bytes until the client leaves or the server closes
	StallAfter   int64
	Trickle      time.Duration // pause so long after each piece of the body
	TrickleBytes int           // size of a piece; 0 = 1 MiB, or with Trickle 1 KiB
	Flip         bool          // flip one bit of the byte at FlipAt, an offset in the object
	FlipAt       int64

	list        *faultList
	seen, fired int // guarded by list.mu
}

// Hits returns how often the fault has fired.
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

// Inject adds f behind the faults already there and returns the stored copy.
func (s *Server) Inject(f Fault) *Fault {
	f.list = &s.faults
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.mu.faults = append(s.faults.mu.faults, &f)
	return &f
}

// ClearFaults removes all faults. Requests already hit by one are not freed.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.mu.faults = nil
}

// take returns the fault to apply to r; a Fault that does nothing if there is
// none.
func (l *faultList) take(r Request) *Fault {
	l.mu.Lock()
	faults := slices.Clone(l.mu.faults)
	l.mu.Unlock()
	for _, f := range faults {
		if f.matches(r) && l.count(f) { // Match may call the server: not under the lock
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

// answer returns the error to give instead of the object, nil for none.
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

// header overrides response headers, last of all.
func (f *Fault) header(h http.Header) {
	if f.RetryAfter != "" {
		h.Set("Retry-After", f.RetryAfter)
	}
	if f.Redirect != "" {
		h.Set("X-Amz-Bucket-Region", f.Redirect)
	}
	for name, value := range f.Header {
		if value == "" {
			h[http.CanonicalHeaderKey(name)] = nil // deleted, net/http would set its own
		} else {
			h.Set(name, value)
		}
	}
}
