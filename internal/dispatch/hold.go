package dispatch

import "context"

// Hold keeps the loop, and the crew, from being stopped. Whoever has one may submit entries after
// Shutdown was called.
type Hold struct {
	loop   *Loop
	cancel func()
}

// Hold returns a new Hold, or nil if Shutdown was called. Close calls cancel, which must not block,
// and after which the holder submits nothing more and releases the Hold. Loop goroutine only.
func (l *Loop) Hold(cancel func()) *Hold {
	if l.draining {
		return nil
	}
	h := &Hold{l, cancel}
	l.holds[h] = struct{}{}
	return h
}

// Submit is Loop.Submit, but accepts the entry also after Shutdown. Loop goroutine only.
func (h *Hold) Submit(ctx context.Context, e Entry) { h.loop.queue(ctx, e) }

// Release gives the Hold up. Loop goroutine only.
func (h *Hold) Release() { delete(h.loop.holds, h) }
