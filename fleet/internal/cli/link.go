package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/fleet/internal/embedded"
)

// link is a connection to a server, and the server if it is in this process.
type link struct {
	nc   *nats.Conn
	url  string // for workers; it may have a secret
	own  bool   // the server was started here: nobody else can have used it before
	stop context.CancelFunc
	keep sync.WaitGroup

	mu struct {
		sync.Mutex
		server *embedded.Server
	}
}

// lingering is how long a server waits for others to see that the run has ended.
const lingering = 10 * time.Second

// close ends the connection, and the server if it is in this process: when others have left it, if
// the run has ended.
func (l *link) close(ended bool) {
	if l.stop != nil {
		l.stop()
	}
	l.keep.Wait()
	l.nc.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.server == nil {
		return
	}
	for deadline := time.Now().Add(lingering); ended && l.mu.server.Clients() > 0 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	l.mu.server.Stop()
}

// join connects to the server that another process has started, or is about to. If that process ends,
// this one takes the server over: in the same place, so that all find it again.
func join(ctx context.Context, dir string) (*link, error) {
	for deadline := time.Now().Add(10 * time.Second); ; {
		url, err := embedded.Find(dir)
		if err == nil {
			var nc *nats.Conn
			if nc, err = fleet.Connect(fleet.Server{URL: url}, "s3fleet"); err == nil {
				l := &link{nc: nc, url: url}
				keep, stop := context.WithCancel(context.Background())
				l.stop = stop
				l.keep.Go(func() { l.takeOver(keep, dir) })
				return l, nil
			}
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("another s3fleet has the server in %s, but it does not answer: %w", dir, err)
		}
		select {
		case <-time.After(time.Second / 4):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// takeOver starts the server if it is away and nobody has its files.
func (l *link) takeOver(ctx context.Context, dir string) {
	ticker := time.NewTicker(time.Second / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if l.nc.IsConnected() {
			continue
		}
		if server, err := embedded.Start(embedded.Options{Dir: dir}); err == nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.mu.server = server
			return
		}
	}
}
