package fetch

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/lowat"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// connected returns a client of origin with two slots, one attempt and two early connections, which wait
// for long.
func connected(t *testing.T, ctx context.Context, origin *s3test.Server) *Client {
	t.Helper()
	c, err := New(Options{Settings: settings.Settings{
		Client: settings.Client{
			Region: s3test.Region, BaseEndpoint: aws.String(origin.URL()), UsePathStyle: true, Anonymous: true,
			RetryMode: aws.RetryModeStandard,
		},
		HTTP:  settings.HTTP{NoProxy: true, DialTimeout: time.Minute, IdleConnTimeout: time.Hour},
		Slots: 2, MaxAttempts: 1, StallTimeout: time.Minute, UserAgent: "processpool/test", CABundle: origin.CAPEM(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	c.early.keep = time.Hour
	c.Connect(ctx, "b")
	for _, o := range c.early.waiting {
		select {
		case <-o.ready:
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		}
		if o.err != nil {
			t.Fatal(o.err)
		}
	}
	if n := len(origin.Requests()); n != 0 || len(c.early.waiting) != 2 {
		t.Fatalf("got %d requests and %d early connections, want none and 2", n, len(c.early.waiting))
	}
	return c
}

// overBoth runs a test with an origin that has an object of 10 bytes, over HTTP and over TLS.
func overBoth(t *testing.T, test func(t *testing.T, ctx context.Context, origin *s3test.Server)) {
	for name, secure := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			origin := s3test.Start(func(o *s3test.Options) { o.TLS = secure })
			defer origin.Close()
			origin.Put("b", "k", make([]byte, 10))
			test(t, ctx, origin)
		})
	}
}

// TestConnect: the first requests use the connections that were opened early.
func TestConnect(t *testing.T) {
	overBoth(t, func(t *testing.T, ctx context.Context, origin *s3test.Server) {
		gate := make(chan struct{})
		origin.Inject(s3test.Fault{Gate: gate})
		c := connected(t, ctx, origin)
		var gets sync.WaitGroup
		for range 2 {
			gets.Go(func() { get10(t, c) })
		}
		if err := origin.WaitRequests(ctx, 2, nil); err != nil {
			t.Error(err)
		}
		close(gate)
		gets.Wait()
		if n := origin.Connections(); n != 2 {
			t.Errorf("got %d connections, want the 2 that were open", n)
		}
	})
}

// TestConnectionEndsBeforeItsRequest: an early connection that the server has closed costs no attempt.
func TestConnectionEndsBeforeItsRequest(t *testing.T) {
	overBoth(t, func(t *testing.T, ctx context.Context, origin *s3test.Server) {
		c := connected(t, ctx, origin)
		origin.Leave()
		origin.Return()
		for _, o := range c.early.waiting {
			for !lowat.Of(o.conn).Ended() && ctx.Err() == nil {
				time.Sleep(time.Millisecond)
			}
		}
		get10(t, c)
	})
}

// TestConnectionsAfterAStall: when a connection has stalled, no early connection is used, for it may be to
// the same address.
func TestConnectionsAfterAStall(t *testing.T) {
	leak.Check(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	origin := s3test.Start()
	defer origin.Close()
	origin.Put("b", "k", make([]byte, 10))
	origin.Inject(s3test.Fault{Times: 1, Stall: true})
	c := connected(t, ctx, origin)
	c.stall, c.maxAttempts = 100*time.Millisecond, 2
	job := &ipc.Job{ID: 1, Bucket: "b", Key: "k", Get: &ipc.Get{Length: 10, Size: 10}}
	if _, _, err := c.Get(ctx, job, nowhere{}, Observer{}); err != nil {
		t.Fatal(err)
	}
	if n := origin.Connections(); n != 3 {
		t.Errorf("got %d connections, want 2 early ones and one more", n)
	}
}
