package fetch

import (
	"context"
	"fmt"
	"net"
	"net/http/httptrace"
	"time"

	"github.com/s3processpool/processpool/internal/answer"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/lowat"
)

// Retrying is called after an attempt that failed and before the wait for the next one. attempt is
// the number of the failed attempt, from 1, among all attempts of the request.
type Retrying func(attempt int, wait time.Duration, cause error)

// attempt makes one request and reports whether it made headway: whether bytes arrived that stay.
type attempt func(ctx context.Context, w *watch) (headway bool, err error)

// attempts calls once until it succeeds, fails with an error that is final, or has used up its
// budget (docs/retries.md). failure.ClassOf decides what each error means.
func (c *Client) attempts(ctx context.Context, bucket string, onRetry Retrying, once attempt) error {
	return c.within(ctx, c.newBudget(), bucket, onRetry, once)
}

// optionally is attempts for a question whose answer the download can do without. An outage ends it
// after MaxAttempts alone, unless there is no server to connect to: then the object cannot be had
// either, and the question waits as a download does, lest the object stay unverified.
func (c *Client) optionally(ctx context.Context, bucket string, onRetry Retrying, once attempt) error {
	budget := c.newBudget()
	budget.optional = true
	return c.within(ctx, budget, bucket, onRetry, once)
}

func (c *Client) within(ctx context.Context, budget *budget, bucket string, onRetry Retrying, once attempt) error {
	renewed, corrected := false, false
	ctx = c.counted(ctx)
	for made := 1; ; made++ {
		headway, err := c.paced(ctx, once)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		class := failure.ClassOf(err)
		moved := c.regions.learn(bucket, err)
		var wait time.Duration
		switch {
		case moved: // at once, to the region that the answer names
			budget.count(class, headway)
			if budget.spent(class, err) {
				return budget.exhausted(err)
			}
			continue
		case !renewed && c.mayBeExpired(ctx, err):
			c.credentials.Refresh()
			renewed = true
			continue
		case class == failure.Clock && !corrected: // at once: the answer has corrected the SDK's clock
			corrected = true
		case class == failure.Clock, !class.Retryable():
			return failure.NameClock(err)
		default:
			budget.count(class, headway)
			if budget.spent(class, err) {
				return budget.exhausted(err)
			}
			wait = budget.pause(class, err)
		}
		if class == failure.Credentials && c.credentials != nil {
			c.credentials.Refresh()
		}
		if onRetry != nil {
			onRetry(made, wait, err)
		}
		if err := c.clock.Sleep(ctx, wait); err != nil {
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
	asked := ctx
	ctx, w := watched(ctx, c.stall)
	defer w.stop()
	ctx, w.requests = recorded(ctx)
	ctx = answer.Watched(ctx, w.alive)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { w.reused = false }, // again, when net/http itself retries
		GotConn: func(info httptrace.GotConnInfo) {
			w.conn, w.reused = info.Conn, info.Reused
			w.requests.connected(info.Conn)
			lowat.Of(info.Conn).Window(c.rate.window())
		},
		GotFirstResponseByte: func() { w.answered.Store(true) },
	})
	headway, err = once(ctx, w)
	if err != nil && context.Cause(ctx) == failure.ErrStalled {
		err = fmt.Errorf("%w (%v)", failure.ErrStalled, c.stall)
	} else if err != nil && w.reused && !w.answered.Load() && failure.ClassOf(err) == failure.Network {
		err = &failure.Idle{Err: err}
	}
	c.blame(w.conn, err)
	if err != nil && asked.Err() != nil {
		w.requests.end(context.Cause(asked))
	} else {
		w.requests.end(err)
	}
	return headway, err
}

// blame has the next connections go to other addresses than that of a connection that stalled or
// broke off. Those that were opened early may be to that address, too.
func (c *Client) blame(conn net.Conn, err error) {
	if conn == nil || err == nil || !failure.Retryable(err) {
		return
	}
	switch failure.KindOf(err) {
	case failure.KindStalled, failure.KindConnection:
		c.dialer.Shun(conn)
		c.early.drop()
	}
}
