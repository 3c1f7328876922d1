package fetch

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/lowat"
)

// nudgeEvery is how long bytes may wait in a socket because they are few.
const nudgeEvery = 250 * time.Millisecond

// watch checks an attempt at every tick. If nothing has arrived since the last tick, it has the
// connection deliver even a few bytes (lowat.Body.Nudge). If nothing has arrived for timeout, it
// ends the attempt.
type watch struct {
	timeout time.Duration
	tick    time.Duration
	cancel  context.CancelCauseFunc
	timer   *time.Timer

	// Of the attempt, once it has a connection. Only the goroutine of the request uses them.
	conn   net.Conn
	reused bool // it served another request before

	requests *requests // nil: they are not reported

	answered atomic.Bool  // the answer has begun
	beats    atomic.Int64 // how often something has arrived
	held     atomic.Bool  // the rate limit is why nothing is read
	body     atomic.Pointer[lowat.Body]
	over     atomic.Bool

	// Only look uses these; its calls never overlap.
	seen   int64 // beats at the last tick
	silent time.Duration
}

// watched returns a context that is canceled with failure.ErrStalled when alive has not been called
// for timeout. The caller must call stop.
func watched(ctx context.Context, timeout time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{timeout: timeout, tick: min(nudgeEvery, timeout/4+1), cancel: cancel}
	w.timer = time.AfterFunc(time.Hour, w.look)
	w.timer.Reset(w.tick)
	return ctx, w
}

// look is called by the timer at every tick.
func (w *watch) look() {
	if w.over.Load() {
		return
	}
	if beats := w.beats.Load(); beats != w.seen || w.held.Load() {
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

// alive notes that something has arrived.
func (w *watch) alive() { w.beats.Add(1) }

// stop ends the watch and cancels the context.
func (w *watch) stop() {
	w.over.Store(true)
	w.timer.Stop()
	w.cancel(nil)
}
