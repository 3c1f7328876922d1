package origin

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// Options holds the options of Start.
type Options struct {
	TLS   bool          // HTTPS: TLS 1.3, ECDSA P-256, a CA created by Start
	Rate  int64         // maximum rate of each connection in bytes per second; 0: no limit
	Delay time.Duration // before each response
	Nice  int           // niceness of nginx, so that it gets in nobody's way; 0: that of this process
	Stall int64         // bytes of each body after which the origin sends nothing; 0: never stop

	Server string // "nginx", "go", or "": nginx if it is installed and supports the options
	Binary string // path of the module's own origin
}

// Origin is a running server. It is not safe for concurrent use.
type Origin struct {
	Name string // of the server, with its version
	URL  string
	CA   string // file of the CA's certificate; "" without TLS

	stop     func() error
	requests func() (int, error) // nil: the server does not count requests
}

// Start serves a site. It writes the files that the server needs to dir. The caller must call Stop.
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
	return nil, fmt.Errorf("-origin must be nginx or go, not %q", o.Server)
}

// Stop stops the server and waits for its end.
func (o *Origin) Stop() error { return o.stop() }

// Counts reports whether the server counts requests. If not, Requests must not be called.
func (o *Origin) Counts() bool { return o.requests != nil }

// Requests returns the number of requests since the last call.
func (o *Origin) Requests() (int, error) { return o.requests() }
