package site

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Put puts n objects of a size into bucket b below p/, and returns them by their files.
func (s *Site) Put(n int, size int64) map[string][]byte {
	files := map[string][]byte{}
	for i := range n {
		name := fmt.Sprintf("%d/%04d", i%3, i)
		files[name] = s3test.PatternBytes(uint64(i), size)
		s.Origin.Put("b", "p/"+name, files[name])
	}
	return files
}

// Serve starts s3fleet serve, and returns it with its URL. The same dir and address make it the
// same server again.
func (s *Site) Serve(dir, address string) (p *Process, url string) {
	s.Helper()
	p = s.Start("serve", "--store", dir, "--listen", address)
	if url = p.Stdout.Line("nats://"); url == "" {
		s.Fatalf("s3fleet serve does not start: %s", &p.Stderr)
	}
	return p, url
}

// Connect returns a connection to a server.
func (s *Site) Connect(url string) *nats.Conn {
	s.Helper()
	nc, err := fleet.Connect(fleet.Server{URL: url}, "test")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(nc.Close)
	return nc
}

// Until asks for the status of a run until it is as wanted, and returns it.
func (s *Site) Until(run *fleet.Run, what string, holds func(fleet.Status) bool) fleet.Status {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	for {
		status, err := run.Status(ctx)
		if err == nil && holds(status) {
			return status
		}
		if ctx.Err() != nil {
			s.Fatalf("waiting until %s: got %+v, %v", what, status, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

var _ testing.TB = (*Site)(nil)
