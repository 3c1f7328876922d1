package origin

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// Options are what an origin does besides answering.
type Options struct {
	TLS   bool          // HTTPS: TLS 1.3, ECDSA P-256, a CA made on the spot
	Rate  int64         // bytes a second of each connection at most; 0: no limit
	Delay time.Duration // before each answer
	Stall int64         // bytes of a body after which nothing more comes; 0: never

	Server string // "nginx", "go", or "": nginx where it is installed and can do it
	Binary string // the module's own origin
}

// Origin is a running server. It is for one goroutine at a time.
type Origin struct {
	Name string // and version
	URL  string
	CA   string // file of the CA's certificate; "" without TLS

	stop     func() error
	requests func() (int, error) // nil if it does not count
}

// Start serves a site. Files that the server needs go into dir.
func Start(ctx context.Context, site *Site, dir string, o Options) (*Origin, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	server := o.Server
	if o.Delay > 0 || o.Stall > 0 {
		server = "go"
	} else if server == "" {
		server = "go"
		if _, err := exec.LookPath("nginx"); err == nil {
			server = "nginx"
		}
	}
	switch server {
	case "nginx":
		return startNginx(ctx, site, dir, o)
	case "go":
		return startGo(ctx, site, dir, o)
	}
	return nil, fmt.Errorf("origin %q is neither nginx nor go", o.Server)
}

// Stop ends the server and waits for it.
func (o *Origin) Stop() error { return o.stop() }

// Counts tells whether Requests works.
func (o *Origin) Counts() bool { return o.requests != nil }

// Requests returns how many requests came since the last call.
func (o *Origin) Requests() (int, error) { return o.requests() }
