package transfer

import (
	"context"

	"github.com/s3processpool/processpool/internal/dispatch"
)

// Window keeps a bounded number of downloads queued or under way, out of any number: it submits them,
// and tells of each that has ended. One goroutine owns it. It keeps the loop from being stopped
// until it is closed.
type Window struct {
	loop   *dispatch.Loop
	hold   *dispatch.Hold
	ctx    context.Context
	ends   chan *Download // has room for all, so that it never holds up the loop
	flying int            // submitted, and not taken from ends
}

// NewWindow returns a window whose downloads are canceled when ctx ends. It returns nil after Shutdown.
// cancel is called, from another goroutine and without waiting for it, when the Downloader is closed:
// nothing is submitted after it.
func NewWindow(ctx context.Context, l *dispatch.Loop, cancel func()) *Window {
	w := &Window{loop: l, ctx: ctx, ends: make(chan *Download, l.Window())}
	held := make(chan struct{})
	if !l.Do(func() {
		w.hold = l.Hold(cancel)
		close(held)
	}) {
		return nil
	}
	if <-held; w.hold == nil {
		return nil
	}
	return w
}

// Full reports whether Submit must wait for the end of a download.
func (w *Window) Full() bool { return w.flying == cap(w.ends) }

// Empty reports whether nothing is queued or under way.
func (w *Window) Empty() bool { return w.flying == 0 }

// Submit queues a download. The window must not be full.
func (w *Window) Submit(d *Download) {
	w.flying++
	d.ends = w.ends
	w.loop.Do(func() { w.hold.Submit(w.ctx, d) })
}

// Ends delivers each download that has ended. The owner calls Landed for it.
func (w *Window) Ends() <-chan *Download { return w.ends }

// Landed takes a download out of the window.
func (w *Window) Landed() { w.flying-- }

// Close releases the loop. The window must be empty.
func (w *Window) Close() { w.loop.Do(w.hold.Release) }
