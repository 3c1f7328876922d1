package pool

import (
	"context"
	"time"
)

// turnWait is how long a start waits for those before it. A command that takes long before it is a
// worker (a wrapper, a login) needs no processor meanwhile, and holds up nobody for longer.
const turnWait = 100 * time.Millisecond

// turns has workers start on half of the processors at a time. A start takes some milliseconds of
// processor time, and for a part of them, until the exec, the Go runtime keeps one of the application's
// processors (GOMAXPROCS) waiting: if ten start at once, for as long as the ten compete with each other.
type turns chan struct{}

func newTurns(processors int) turns { return make(turns, max(1, processors/2)) }

// take waits for a turn, or until ctx ends. The caller must call end when the worker is ready, or is not.
func (t turns) take(ctx context.Context) (end func()) {
	timer := time.NewTimer(turnWait)
	defer timer.Stop()
	select {
	case t <- struct{}{}:
		return func() { <-t }
	case <-timer.C:
	case <-ctx.Done():
	}
	return func() {}
}
