package s3test

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"syscall"
	"testing"
)

// TestAway: a server that left refuses connections and has closed those that it had, and one that
// returned is found where it was.
func TestAway(t *testing.T) {
	for _, tls := range []bool{false, true} {
		s := Start(func(o *Options) { o.TLS = tls })
		s.Put("b", "k", []byte("0123456789"))
		transport := &http.Transport{}
		if tls {
			transport = s.Client().Options().HTTPClient.(interface{ GetTransport() *http.Transport }).GetTransport()
		}
		client := &http.Client{Transport: transport}
		get := func() error {
			r, err := client.Get(s.URL() + "/b/k")
			if err != nil {
				return err
			}
			defer r.Body.Close()
			_, err = io.ReadAll(r.Body)
			return err
		}
		for range 3 {
			if err := get(); err != nil {
				t.Errorf("tls=%v: %v", tls, err)
			}
			s.Leave()
			if err := get(); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("tls=%v: got %v, want ECONNREFUSED", tls, err)
			}
			s.Return()
		}
		gate := make(chan struct{})
		f := s.Inject(Fault{Gate: gate})
		ended := make(chan error)
		go func() { ended <- get() }()
		for f.Hits() == 0 {
			runtime.Gosched()
		}
		s.Leave()
		if err := <-ended; err == nil {
			t.Errorf("tls=%v: a request outlasted Leave", tls)
		}
		s.Leave()
		transport.CloseIdleConnections()
		s.Close()
		s.Return()
		if err := get(); err == nil {
			t.Errorf("tls=%v: it returned after Close", tls)
		}
	}
}
