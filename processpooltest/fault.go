package processpooltest

import (
	"time"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Fault is what a [Server] does wrong. Of the faults that were injected, the first that matches a
// request and has Times left applies to it, and no other.
type Fault struct {
	// The requests to match. An empty field matches all.
	Operation   string // as in [Request]
	Bucket, Key string
	Skip        int // so many of the matching requests are left alone first
	Times       int // so many requests are failed; 0: all

	// Before the answer, in this order.
	Do    func(Request) // is called in a goroutine of the server: to overwrite the object, say
	Delay time.Duration

	// Another answer: an error of S3 with this Status, from 300 on. Code and Message are those
	// that S3 has for the status, unless they are given.
	Status        int
	Code, Message string

	// A bad body of the answer. After so many of its bytes the server closes the connection
	// (Cut), or sends nothing more (Stall). Flip changes one bit of the byte at FlipAt, an offset
	// in the object.
	Cut        bool
	CutAfter   int64 // below 0: not even the headers are sent
	Stall      bool
	StallAfter int64
	Flip       bool
	FlipAt     int64

	injected *s3test.Fault // nil: the caller's copy
}

// Inject adds a fault, and returns the server's copy of it, which counts its Hits.
func (s *Server) Inject(f Fault) *Fault {
	to := s3test.Fault{
		Bucket: f.Bucket, Key: f.Key, Skip: f.Skip, Times: f.Times,
		Delay: f.Delay, Status: f.Status, Code: f.Code, Message: f.Message,
		Cut: f.Cut, CutAfter: f.CutAfter, Stall: f.Stall, StallAfter: f.StallAfter,
		Flip: f.Flip, FlipAt: f.FlipAt,
	}
	if want := f.Operation; want != "" {
		to.Match = func(r s3test.Request) bool { return operation(r) == want }
	}
	if do := f.Do; do != nil {
		to.Do = func(_ *s3test.Server, r s3test.Request) { do(newRequest(r)) }
	}
	f.injected = s.origin.Inject(to)
	return &f
}

// Hits returns how many requests the fault has been applied to. It is for the Fault that Inject has
// returned, and may be called from any goroutine.
func (f *Fault) Hits() int {
	if f.injected == nil {
		return 0
	}
	return f.injected.Hits()
}

// ClearFaults removes all faults. A request that one has been applied to is not affected.
func (s *Server) ClearFaults() { s.origin.ClearFaults() }
