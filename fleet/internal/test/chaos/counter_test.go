//go:build linux

package chaos

import (
	"context"
	"sync"

	"github.com/s3processpool/processpool/fleet/internal/test/site"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// counter counts GETs.
type counter struct {
	mu    sync.Mutex
	n     int
	ended bool
	moved chan struct{}
}

func newCounter(origin *s3test.Server) *counter {
	c := &counter{moved: make(chan struct{})}
	origin.OnRequest(func(q s3test.Request) {
		if q.Method == "GET" && q.Key != "" {
			c.change(func() { c.n++ })
		}
	})
	return c
}

func (c *counter) change(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
	close(c.moved)
	c.moved = make(chan struct{})
}

func (c *counter) end() { c.change(func() { c.ended = true }) }

// reach waits for a number of GETs. It returns false when the run has ended.
func (c *counter) reach(n int) bool {
	ctx, cancel := context.WithTimeout(context.Background(), site.Patience)
	defer cancel()
	for {
		c.mu.Lock()
		have, ended, moved := c.n, c.ended, c.moved
		c.mu.Unlock()
		if ended || have >= n {
			return !ended
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return false
		}
	}
}
