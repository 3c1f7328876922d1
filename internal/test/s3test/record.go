package s3test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Request is a request as it arrived. It is shared and must not be modified.
type Request struct {
	Seq         int // counts from 1 over the life of the server
	Method      string
	Bucket, Key string // decoded; an empty Key means a request for the bucket
	Range       string
	IfMatch     string
	VersionID   string // query parameter versionId
	PartNumber  string // query parameter partNumber
	UserAgent   string
	Header      http.Header
	Query       url.Values
	Start       time.Time
}

// requestLog records the requests and counts those in progress.
type requestLog struct {
	mu struct {
		sync.Mutex
		seq           int
		all           []Request
		arrived       chan struct{} // closed and replaced when all changes
		inFlight, max int
		onRequest     func(Request)
	}
}

func (l *requestLog) init() { l.mu.arrived = make(chan struct{}) }

// begin records r. The caller must call the returned function at the end of the request or earlier.
func (l *requestLog) begin(r *Request) (end func()) {
	l.mu.Lock()
	l.mu.seq++
	r.Seq = l.mu.seq
	l.mu.all = append(l.mu.all, *r)
	l.mu.inFlight++
	l.mu.max = max(l.mu.max, l.mu.inFlight)
	close(l.mu.arrived)
	l.mu.arrived = make(chan struct{})
	hook := l.mu.onRequest
	l.mu.Unlock()

	if hook != nil {
		hook(*r)
	}
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.mu.inFlight--
	})
}

// Requests returns all recorded requests in the order of their arrival.
func (s *Server) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.mu.all)
}

// ResetRequests forgets the recorded requests and the maximum of InFlight. It does not reset Seq.
func (s *Server) ResetRequests() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.mu.all = nil
	s.log.mu.max = s.log.mu.inFlight
}

// InFlight returns the number of requests in progress. A request is in progress from its arrival
// until just before the last piece of its response is written, so a client that sends its next
// request as soon as it has read a response is never counted twice.
func (s *Server) InFlight() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.mu.inFlight
}

// MaxInFlight returns the highest InFlight since the start or ResetRequests.
func (s *Server) MaxInFlight() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.mu.max
}

// OnRequest sets a function that the server calls for each request, after it is recorded and before
// it is served. The calls are concurrent for concurrent requests. nil removes the function.
func (s *Server) OnRequest(fn func(Request)) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.mu.onRequest = fn
}

// WaitRequests waits until n recorded requests match, and returns nil, or until ctx is done, and
// returns its error. A nil match matches any request.
func (s *Server) WaitRequests(ctx context.Context, n int, match func(Request) bool) error {
	for {
		s.log.mu.Lock()
		arrived := s.log.mu.arrived
		all := s.log.mu.all[:len(s.log.mu.all):len(s.log.mu.all)]
		s.log.mu.Unlock()

		got := 0
		for _, r := range all {
			if match == nil || match(r) {
				got++
			}
		}
		if got >= n {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
