package pool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// mint is a provider that returns other credentials at each call.
type mint struct {
	calls atomic.Int64
	open  chan struct{} // closed when it may answer; nil = at once
	err   error
}

func (m *mint) Retrieve(context.Context) (aws.Credentials, error) {
	n := m.calls.Add(1)
	if m.open != nil {
		<-m.open
	}
	if m.err != nil {
		return aws.Credentials{}, m.err
	}
	return aws.Credentials{
		AccessKeyID: fmt.Sprintf("AKID%d", n), SecretAccessKey: "secret", SessionToken: fmt.Sprintf("token%d", n),
		AccountID: "111122223333", Source: "mint", CanExpire: true, Expires: time.Now().Add(time.Hour),
	}, nil
}

// asked returns the answers to n Asks at the same time.
func asked(v *vendor, n int, ask ipc.Ask) []*ipc.Credentials {
	answers := make([]*ipc.Credentials, n)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = v.answer(&ask) })
	}
	wg.Wait()
	return answers
}

func TestVendorAsksOnce(t *testing.T) {
	leak.Check(t)
	m := &mint{open: make(chan struct{})}
	v := newVendor(t.Context(), m)
	time.AfterFunc(10*time.Millisecond, func() { close(m.open) }) // not before most have asked
	for _, c := range append(asked(v, 50, ipc.Ask{}), asked(v, 50, ipc.Ask{})...) {
		if c.AccessKeyID != "AKID1" || c.SecretAccessKey != "secret" || c.SessionToken != "token1" || c.AccountID != "111122223333" ||
			c.Source != "mint" || !c.CanExpire || c.Expires.IsZero() || c.Err != "" {
			t.Fatalf("got %+v", c)
		}
	}
	if n := m.calls.Load(); n != 1 {
		t.Errorf("the provider was asked %d times, want once", n)
	}
}

// TestVendorRenewsOnce: when many workers are refused at once, the provider is called once.
func TestVendorRenewsOnce(t *testing.T) {
	leak.Check(t)
	m := &mint{}
	v := newVendor(t.Context(), m)
	for round := int64(1); round <= 50; round++ {
		c := v.answer(&ipc.Ask{})
		for _, c := range asked(v, 20, ipc.Ask{RefusedKey: c.AccessKeyID, RefusedToken: c.SessionToken}) {
			if c.SessionToken != fmt.Sprintf("token%d", round+1) {
				t.Fatalf("round %d: got %+v", round, c)
			}
		}
		if n := m.calls.Load(); n != round+1 {
			t.Fatalf("round %d: the provider was asked %d times, want %d", round, n, round+1)
		}
	}
	// A late Ask that names credentials refused long ago gets the present ones.
	if c := v.answer(&ipc.Ask{RefusedKey: "AKID1", RefusedToken: "token1"}); c.SessionToken != "token51" {
		t.Errorf("got %+v", c)
	}
}

func TestVendorError(t *testing.T) {
	leak.Check(t)
	m := &mint{err: errors.New("no role to assume")}
	v := newVendor(t.Context(), m)
	if c := v.answer(&ipc.Ask{}); !strings.Contains(c.Err, "no role to assume") || c.AccessKeyID != "" {
		t.Errorf("got %+v", c)
	}
	m.err = nil // an error is not kept
	if c := v.answer(&ipc.Ask{}); c.Err != "" || c.AccessKeyID != "AKID2" {
		t.Errorf("got %+v", c)
	}
	if c := newVendor(t.Context(), nil).answer(&ipc.Ask{}); c.Err == "" {
		t.Error("no provider, and no error")
	}
}

// TestVendorErrorSaidOnce: each cache of the SDK writes the same words before an error. The worker's
// cache writes them again.
func TestVendorErrorSaidOnce(t *testing.T) {
	leak.Check(t)
	inner := aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no role to assume")
	}))
	outer := aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		_, err := inner.Retrieve(ctx)
		return aws.Credentials{}, fmt.Errorf("assume role: %w", err)
	}))
	if _, err := outer.Retrieve(t.Context()); strings.Count(err.Error(), refreshing) != 2 {
		t.Fatalf("the test is wrong: got %v", err)
	}
	if c := newVendor(t.Context(), outer).answer(&ipc.Ask{}); c.Err != "assume role: no role to assume" {
		t.Errorf("got %q", c.Err)
	}
	long := newVendor(t.Context(), &mint{err: errors.New(strings.Repeat("x", 10<<20))})
	if c := long.answer(&ipc.Ask{}); len(c.Err) > failure.MaxText || !strings.HasPrefix(c.Err, "xxx") {
		t.Errorf("got an error of %d bytes", len(c.Err))
	}
}

// TestVendorSharesCache: the application's own cache is used and not wrapped.
func TestVendorSharesCache(t *testing.T) {
	leak.Check(t)
	m := &mint{}
	cache := aws.NewCredentialsCache(m)
	if _, err := cache.Retrieve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := newVendor(t.Context(), cache).answer(&ipc.Ask{}); c.AccessKeyID != "AKID1" || m.calls.Load() != 1 {
		t.Errorf("got %+v after %d calls", c, m.calls.Load())
	}
}

// TestVendorStops: a provider that hangs does not delay the pool's end.
func TestVendorStops(t *testing.T) {
	leak.Check(t)
	m := &mint{open: make(chan struct{})}
	defer close(m.open)
	ctx, stop := context.WithCancel(t.Context())
	v := newVendor(ctx, m)
	answer := make(chan *ipc.Credentials)
	go func() { answer <- v.answer(&ipc.Ask{}) }()
	stop()
	if c := <-answer; c.Err == "" {
		t.Errorf("got %+v", c)
	}
}

// TestVendorRenewsSlowly: a worker that says again and again that S3 has refused its credentials has the
// provider called once a second at most.
func TestVendorRenewsSlowly(t *testing.T) {
	leak.Check(t)
	m := &mint{}
	p := New(Options{Credentials: m})
	if p.vendor.every != time.Second {
		t.Errorf("got %v between two renewals, want 1s", p.vendor.every)
	}
	p.vendor.every = 200 * time.Millisecond
	w := newProcess(p, 0, nil)
	begun := time.Now()
	last := &ipc.Credentials{AccessKeyID: "AKID0", SessionToken: "token0"}
	for range 3 {
		p.vendor.vend(w, &ipc.Ask{RefusedKey: last.AccessKeyID, RefusedToken: last.SessionToken})
		last = (<-w.outbox).message.(*ipc.Credentials)
	}
	if took := time.Since(begun); took < 2*p.vendor.every || m.calls.Load() > 3 {
		t.Errorf("got %d calls in %v", m.calls.Load(), took)
	}
	p.vendor.vend(w, &ipc.Ask{RefusedKey: last.AccessKeyID, RefusedToken: last.SessionToken})
	p.stop() // which ends the wait
	<-w.outbox
}
