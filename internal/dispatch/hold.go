package dispatch

import "context"

// Hold keeps the loop, and the crew, from being stopped. Whoever has one may submit entries after
// Shutdown was called.
type Hold struct{ loop *Loop }

// Hold returns a new Hold, or nil if Shutdown was called. Loop goroutine only.
func (l *Loop) Hold() *Hold {
	if l.draining {
		return nil
	}
	l.holds++
	return &Hold{l}
}

// Submit is Loop.Submit, but accepts the entry also after Shutdown. Loop goroutine only.
func (h *Hold) Submit(ctx context.Context, e Entry) { h.loop.queue(ctx, e) }

// Release gives the Hold up. Loop goroutine only.
func (h *Hold) Release() { h.loop.holds-- }
