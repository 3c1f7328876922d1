package s3test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Request is a request as it arrived. It is shared: read it only.
type Request struct {
	Seq         int // counts from 1 over the life of the server
	Method      string
	Bucket, Key string // decoded; Key "" = a request for the bucket
	Range       string
	IfMatch     string
	VersionID   string // of the query
	PartNumber  string // of the query
	UserAgent   string
	Header      http.Header
	Query       url.Values
	Start       time.Time
}

// requestLog remembers what arrived and how much of it is in progress.
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

// begin records r. The caller calls the returned function once, at the end of
// the request or before.
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

// Requests returns all requests so far, in the order they arrived.
func (s *Server) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.mu.all)
}

// ResetRequests forgets the requests so far and the highest number in
// progress. Seq counts on.
func (s *Server) ResetRequests() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.mu.all = nil
	s.log.mu.max = s.log.mu.inFlight
}

// InFlight returns the number of requests in progress. A request is in
// progress from its arrival until the last piece of its answer is about to be
// written, so that a client that sends the next request as soon as it has
// read an answer is never counted twice.
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

// OnRequest has fn called for each request when it has been recorded and
// before it is served, concurrently for concurrent requests. nil ends it.
func (s *Server) OnRequest(fn func(Request)) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.mu.onRequest = fn
}

// WaitRequests returns nil as soon as n recorded requests match (nil = any),
// or else the error of ctx.
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
