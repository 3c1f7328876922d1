package fetch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/lowat"
)

// keepEarly is how long an early connection waits for its request. Most servers wait longer for the
// first request of a connection.
const keepEarly = 3 * time.Second

// Connect opens as many connections to a bucket's host as the client has slots, for the next requests
// to that host. It does not wait for them. Those that are not needed within three seconds are closed,
// and so are those that are left when ctx ends.
//
// It does nothing after the client's first request, or behind a proxy. Where New was given optFns, code
// of the caller's may see a request to the bucket that is not sent: do not call Connect there.
func (c *Client) Connect(ctx context.Context, bucket string) {
	to := c.host(ctx, bucket)
	if to == nil || c.early.proxied(to) {
		return
	}
	for range c.early.n {
		c.early.open(ctx, to.URL)
	}
}

// host returns a request to the bucket that was not sent, or nil: the SDK alone knows which host
// serves a bucket.
func (c *Client) host(ctx context.Context, bucket string) *http.Request {
	var to unsent
	c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("-")}, c.regions.of(bucket), func(o *s3.Options) {
		o.HTTPClient = &to
		o.Credentials = nil
		o.DisableS3ExpressSessionAuth = aws.Bool(true) // it would ask for a session
	})
	return to.request
}

// unsent keeps the request that it is to send.
type unsent struct{ request *http.Request }

var errUnsent = errors.New("not to be sent")

func (u *unsent) Do(r *http.Request) (*http.Response, error) {
	u.request = r
	return nil, errUnsent
}

// early opens connections before there is a request for them. Its methods may be called concurrently.
type early struct {
	plain, secure lowat.Dial
	proxy         func(*http.Request) (*url.URL, error) // nil: none
	n             int                                   // connections to open
	keep          time.Duration                         // how long one that is open waits for its request

	mu      sync.Mutex
	late    bool      // a request has needed a connection
	waiting []*opened // oldest first
}

// opened is a connection that is open or being opened, or could not be opened.
type opened struct {
	place
	ready chan struct{} // closed when conn and err are set
	conn  net.Conn
	err   error
}

// place is where a connection goes, as http.Transport has it.
type place struct {
	secure  bool
	address string
}

func (e *early) proxied(r *http.Request) bool {
	if e.proxy == nil {
		return false
	}
	by, err := e.proxy(r)
	return by != nil || err != nil
}

// open opens a connection to the host of a URL, unless requests have begun to open their own.
func (e *early) open(ctx context.Context, to *url.URL) {
	secure, port := to.Scheme == "https", to.Port()
	switch {
	case port != "":
	case secure:
		port = "443"
	default:
		port = "80"
	}
	o := &opened{place: place{secure, net.JoinHostPort(to.Hostname(), port)}, ready: make(chan struct{})}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.late {
		return
	}
	e.waiting = append(e.waiting, o)
	go func() {
		o.conn, o.err = e.dialNow(ctx, o.place)
		close(o.ready)
		timer := time.NewTimer(e.keep)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		if e.remove(o) {
			o.close()
		}
	}()
}

func (e *early) dialNow(ctx context.Context, p place) (net.Conn, error) {
	if p.secure {
		return e.secure(ctx, "tcp", p.address)
	}
	return e.plain(ctx, "tcp", p.address)
}

// dial is for http.Transport. It returns an early connection that the server has not closed meanwhile,
// and waits for one that is being opened. If there is none, or it fails, it opens one now.
func (e *early) dial(secure bool) lowat.Dial {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		p := place{secure, address}
		for o := e.take(p); o != nil; o = e.take(p) {
			select {
			case <-o.ready:
			case <-ctx.Done():
				go o.close()
				return nil, ctx.Err()
			}
			if o.err == nil && !lowat.Of(o.conn).Ended() {
				return o.conn, nil
			}
			o.close()
		}
		return e.dialNow(ctx, p)
	}
}

// take returns the oldest connection to a place, for nobody else; nil: there is none.
func (e *early) take(p place) *opened {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.late = true
	at := slices.IndexFunc(e.waiting, func(o *opened) bool { return o.place == p })
	if at < 0 {
		return nil
	}
	o := e.waiting[at]
	e.waiting = slices.Delete(e.waiting, at, at+1)
	return o
}

// remove takes a connection out, and reports whether it was still there.
func (e *early) remove(o *opened) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := slices.Index(e.waiting, o)
	if at >= 0 {
		e.waiting = slices.Delete(e.waiting, at, at+1)
	}
	return at >= 0
}

// drop closes the connections that no request has taken.
func (e *early) drop() {
	e.mu.Lock()
	dropped := e.waiting
	e.waiting = nil
	e.mu.Unlock()
	for _, o := range dropped {
		go o.close()
	}
}

func (o *opened) close() {
	<-o.ready
	if o.err == nil {
		o.conn.Close()
	}
}
