package s3test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// presence is where the server listens, and who is connected.
type presence struct {
	mu struct {
		sync.Mutex
		ln     net.Listener  // nil: away
		served chan struct{} // closed when Serve has returned
		closed bool
		conns  map[net.Conn]bool
		news   chan struct{} // closed and replaced when a connection is accepted
	}
	addr string
	tls  *tls.Config // nil: plain HTTP
}

// listen listens on addr and serves there.
func (s *Server) listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	if s.at.tls != nil {
		ln = tls.NewListener(ln, s.at.tls)
	}
	served := make(chan struct{})
	s.at.mu.ln, s.at.mu.served = ln, served
	go func() {
		defer close(served)
		s.http.Serve(ln)
	}()
	return ln, nil
}

func (s *Server) connState(conn net.Conn, state http.ConnState) {
	s.at.mu.Lock()
	defer s.at.mu.Unlock()
	switch state {
	case http.StateNew:
		s.connections.Add(1)
		s.conns.Add(1)
		s.at.mu.conns[conn] = true
		close(s.at.mu.news)
		s.at.mu.news = make(chan struct{})
	case http.StateClosed, http.StateHijacked:
		s.conns.Done()
		delete(s.at.mu.conns, conn)
	}
}

// WaitConnections waits until n connections were accepted, and returns nil, or until ctx is done, and
// returns its error.
func (s *Server) WaitConnections(ctx context.Context, n int) error {
	for {
		s.at.mu.Lock()
		news := s.at.mu.news
		s.at.mu.Unlock()
		if s.Connections() >= n {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Leave closes the listener and all connections, like a server that ends: from then on connections
// are refused. It must not be called from within a request.
func (s *Server) Leave() {
	s.at.mu.Lock()
	ln, served := s.at.mu.ln, s.at.mu.served
	s.at.mu.ln = nil
	s.at.mu.Unlock()
	if ln == nil {
		return
	}
	ln.Close()
	<-served // from here on no connection is accepted
	s.at.mu.Lock()
	var open []net.Conn
	for conn := range s.at.mu.conns {
		open = append(open, conn)
	}
	s.at.mu.Unlock()
	for _, conn := range open {
		conn.Close()
	}
}

// Return serves again, after Leave, at the same address. It panics if another program has taken the
// address and does not give it back.
func (s *Server) Return() {
	s.at.mu.Lock()
	defer s.at.mu.Unlock()
	if s.at.mu.ln != nil || s.at.mu.closed {
		return
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, err := s.listen(s.at.addr)
		if err == nil {
			return
		}
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			panic("s3test: " + err.Error())
		}
	}
}
