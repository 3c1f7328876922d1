package pool

import (
	"sync/atomic"

	"github.com/s3processpool/processpool/internal/ipc"
)

// rateLimit is what a worker is to be told of its limit of bytes a second. Of several limits that
// wait only the last is sent, so that they cannot fill the outbox of a worker that is stopped.
type rateLimit struct {
	next atomic.Pointer[ipc.RateLimit] // nil = nothing is to be sent
	news chan struct{}                 // holds one when there may be something
}

// RateLimit implements Worker. Only the pool's owner may call it.
func (w *process) RateLimit(bytesPerSecond int64) {
	w.rate.next.Store(&ipc.RateLimit{BytesPerSecond: bytesPerSecond})
	select {
	case w.rate.news <- struct{}{}:
	default: // the writer has yet to look
	}
}

// sendRate sends the limit, if it has changed. Only the writer may call it.
func (w *process) sendRate() {
	if m := w.rate.next.Swap(nil); m != nil {
		w.send(parcel{m, nil})
	}
}
