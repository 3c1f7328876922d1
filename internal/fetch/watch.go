package fetch

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/lowat"
)

// nudgeEvery is how long bytes may lie in a socket because there are few of them.
const nudgeEvery = 250 * time.Millisecond

// watch looks at an attempt from tick to tick: a connection that has delivered
// nothing since the last is asked for what little it may have, and one that has
// delivered nothing for too long ends the attempt.
type watch struct {
	timeout time.Duration
	tick    time.Duration
	cancel  context.CancelCauseFunc
	timer   *time.Timer

	conn net.Conn // the attempt's, once it has one; of the goroutine that makes the request

	beats atomic.Int64 // pieces that arrived
	body  atomic.Pointer[lowat.Body]
	over  atomic.Bool

	seen   int64 // beats at the last tick
	silent time.Duration
}

// watched returns a context that ends with failure.ErrStalled after timeout without
// a call of alive.
func watched(ctx context.Context, timeout time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{timeout: timeout, tick: min(nudgeEvery, timeout/4+1), cancel: cancel}
	w.timer = time.AfterFunc(time.Hour, w.look)
	w.timer.Reset(w.tick)
	return ctx, w
}

func (w *watch) look() {
	if w.over.Load() {
		return
	}
	if beats := w.beats.Load(); beats != w.seen {
		w.seen, w.silent = beats, 0
	} else {
		w.silent += w.tick
		if b := w.body.Load(); b != nil {
			b.Nudge()
		}
	}
	if w.silent >= w.timeout {
		w.cancel(failure.ErrStalled)
		return
	}
	w.timer.Reset(w.tick)
}

// alive tells that something has arrived.
func (w *watch) alive() { w.beats.Add(1) }

// stop ends the watch, and the context.
func (w *watch) stop() {
	w.over.Store(true)
	w.timer.Stop()
	w.cancel(nil)
}
