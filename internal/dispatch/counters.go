package dispatch

import (
	"errors"
	"sync/atomic"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// Counters count what a loop and its entries do. The loop's goroutine writes most of them; an entry
// that never reaches it is counted where it ends. The zero Counters is ready, also before there is
// a loop.
type Counters struct {
	queued, active, done, failed, canceled atomic.Int64

	bytes, direct                                           atomic.Int64
	heads, gets, attributes, lists                          atomic.Int64
	throttled, stalled, connection, unexpected, other, slow atomic.Int64
	workers, restarts, limit                                atomic.Int64
}

// Counts are the numbers of one moment, or nearly: each is right, but not all of the same instant.
type Counts struct {
	Queued, Active, Done, Failed, Canceled                  int64
	Bytes, Direct                                           int64
	Heads, Gets, Attributes, Lists                          int64
	Throttled, Stalled, Connection, Unexpected, Other, Slow int64
	Workers, Restarts                                       int64
	Limit                                                   int64 // of requests in flight; 0: there is none
}

// Counts returns the numbers of now.
func (c *Counters) Counts() Counts {
	return Counts{
		Queued: c.queued.Load(), Active: c.active.Load(), Done: c.done.Load(),
		Failed: c.failed.Load(), Canceled: c.canceled.Load(),
		Bytes: c.bytes.Load(), Direct: c.direct.Load(),
		Heads: c.heads.Load(), Gets: c.gets.Load(), Attributes: c.attributes.Load(), Lists: c.lists.Load(),
		Throttled: c.throttled.Load(), Stalled: c.stalled.Load(), Connection: c.connection.Load(),
		Unexpected: c.unexpected.Load(), Other: c.other.Load(), Slow: c.slow.Load(),
		Workers: c.workers.Load(), Restarts: c.restarts.Load(), Limit: c.limit.Load(),
	}
}

// Queued counts a new entry.
func (c *Counters) Queued() { c.queued.Add(1) }

// Begun counts an entry that begins.
func (c *Counters) Begun() {
	c.queued.Add(-1)
	c.active.Add(1)
}

// Ended counts an entry's end, with its error or nil.
func (c *Counters) Ended(begun bool, err error) {
	if begun {
		c.active.Add(-1)
	} else {
		c.queued.Add(-1)
	}
	switch {
	case err == nil:
		c.done.Add(1)
	case errors.Is(err, failure.ErrCanceled):
		c.canceled.Add(1)
	default:
		c.failed.Add(1)
	}
}

// Slow counts a range that was taken back from a slow connection.
func (c *Counters) Slow() { c.slow.Add(1) }

// Direct counts bytes that were written past the page cache.
func (c *Counters) Direct(n int64) { c.direct.Add(n) }

// requested counts an attempt.
func (c *Counters) requested(op ipc.Op) {
	switch op {
	case ipc.OpHead:
		c.heads.Add(1)
	case ipc.OpGet:
		c.gets.Add(1)
	case ipc.OpParts:
		c.attributes.Add(1)
	case ipc.OpList:
		c.lists.Add(1)
	}
}

// retried counts an attempt that is made again.
func (c *Counters) retried(op ipc.Op, kind failure.Kind) {
	c.requested(op)
	switch kind {
	case failure.KindThrottled:
		c.throttled.Add(1)
	case failure.KindStalled:
		c.stalled.Add(1)
	case failure.KindConnection:
		c.connection.Add(1)
	case failure.KindUnexpected:
		c.unexpected.Add(1)
	default:
		c.other.Add(1)
	}
}

// wrote counts what is new of the bytes that a worker has written of a job's range, and returns it.
func (c *Counters) wrote(j *Job, written int64) (n int64) {
	if j.Op != ipc.OpGet {
		return 0 // bytes that were in the file already, and read back
	}
	n = max(0, written-j.counted)
	c.bytes.Add(n)
	j.counted = written
	return n
}
