package fetch

import (
	"context"
	"fmt"
	"net"
	"net/http/httptrace"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
)

// Retrying is called after an attempt that failed and before the wait for the next one. attempt is
// the number of the failed attempt, from 1, among all attempts of the request.
type Retrying func(attempt int, wait time.Duration, cause error)

// attempt makes one request and reports whether it made headway: whether bytes arrived that stay.
type attempt func(ctx context.Context, w *watch) (headway bool, err error)

// attempts calls once until it succeeds, fails with an error that is not retryable, or has failed
// maxAttempts times in a row without headway.
func (c *Client) attempts(ctx context.Context, bucket string, onRetry Retrying, once attempt) error {
	renewed := false
	failed := 0 // attempts in a row without headway
	for made := 1; ; made++ {
		headway, err := c.paced(ctx, once)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if headway {
			failed = 0
		}
		moved := c.regions.learn(bucket, err)
		if !moved && !renewed && c.mayBeExpired(ctx, err) {
			c.credentials.Refresh()
			renewed = true
			continue
		}
		if !headway {
			failed++
		}
		if !moved && !failure.Retryable(err) {
			return err
		}
		if failed >= c.maxAttempts {
			return exhausted(failed, err)
		}
		if moved {
			continue
		}
		if failure.CredentialsExpired(err) && c.credentials != nil {
			c.credentials.Refresh()
		}
		wait := failure.Wait(failed, err)
		if onRetry != nil {
			onRetry(made, wait, err)
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// mayBeExpired reports whether err may be due to expired credentials. A HeadObject does not tell:
// its answer is a 400 without a body. Credentials without a session token do not expire.
func (c *Client) mayBeExpired(ctx context.Context, err error) bool {
	if c.credentials == nil || !failure.Unexplained(err) {
		return false
	}
	now, err := c.credentials.Retrieve(ctx)
	return err == nil && now.SessionToken != ""
}

// paced makes one attempt: at the pace of the adaptive retry mode, if that is chosen, and under a
// watch for stalls.
func (c *Client) paced(ctx context.Context, once attempt) (headway bool, err error) {
	if err := c.signable(ctx); err != nil {
		return false, err
	}
	if c.limiter != nil {
		release, noToken := c.limiter.GetAttemptToken(ctx)
		if noToken != nil {
			return false, noToken
		}
		defer func() { release(err) }()
	}
	ctx, w := watched(ctx, c.stall)
	defer w.stop()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { w.conn = info.Conn },
	})
	headway, err = once(ctx, w)
	if err != nil && context.Cause(ctx) == failure.ErrStalled {
		err = fmt.Errorf("%w (%v)", failure.ErrStalled, c.stall)
	}
	c.blame(w.conn, err)
	return headway, err
}

// blame has the next connections go to other addresses than that of a connection that stalled or
// broke off.
func (c *Client) blame(conn net.Conn, err error) {
	if conn == nil || err == nil || !failure.Retryable(err) {
		return
	}
	switch failure.KindOf(err) {
	case failure.KindStalled, failure.KindConnection:
		c.dialer.Shun(conn)
	}
}

func exhausted(n int, err error) error {
	plural := "s"
	if n == 1 {
		plural = ""
	}
	return fmt.Errorf("%w after %d attempt%s without headway: %w", failure.ErrRetriesExceeded, n, plural, err)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
