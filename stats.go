package processpool

import (
	"errors"
	"sync/atomic"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// Stats is what a Downloader is at, and what it has done since NewDownloader. Each
// number is right, but not all are of the same instant.
type Stats struct {
	// Downloads by state. Each that was ever asked for is in one: also those that were
	// refused at once, and those of a Directory.
	Queued   int64 // waiting: the queue's depth
	Active   int64
	Done     int64
	Failed   int64
	Canceled int64

	// BytesWritten counts bytes in temporary files, as workers report them: those that
	// are fetched once more count once more.
	BytesWritten int64

	Requests Requests
	Retries  Retries

	Workers        int64 // processes that are up
	WorkerRestarts int64 // processes that came up in the place of one that was lost
}

// Requests counts the attempts at each operation that workers were asked to make. The
// few further ones by which a HeadObject finds an object's parts are not counted.
type Requests struct {
	HeadObject          int64
	GetObject           int64
	GetObjectAttributes int64
	ListObjectsV2       int64
}

// Retries counts attempts that failed and were made again, by what they failed by.
type Retries struct {
	Throttled  int64 // S3 asked for a slower pace
	Stalled    int64 // nothing came for Config.StallTimeout
	Connection int64 // could not be made, or broke off
	Unexpected int64 // an answer that does not fit the request
	Other      int64 // S3's other errors, such as InternalError and ExpiredToken
	Slow       int64 // none failed: a range was taken back at a download's end, for other connections are faster
}

// Stats returns the numbers of now. It never waits, and may be called from anywhere,
// also before Start and after Shutdown.
func (d *Downloader) Stats() Stats {
	c := &d.counters
	return Stats{
		Queued:       c.queued.Load(),
		Active:       c.active.Load(),
		Done:         c.done.Load(),
		Failed:       c.failed.Load(),
		Canceled:     c.canceled.Load(),
		BytesWritten: c.bytes.Load(),
		Requests: Requests{
			HeadObject:          c.heads.Load(),
			GetObject:           c.gets.Load(),
			GetObjectAttributes: c.attributes.Load(),
			ListObjectsV2:       c.lists.Load(),
		},
		Retries: Retries{
			Throttled:  c.throttled.Load(),
			Stalled:    c.stalled.Load(),
			Connection: c.connection.Load(),
			Unexpected: c.unexpected.Load(),
			Other:      c.other.Load(),
			Slow:       c.slow.Load(),
		},
		Workers:        c.workers.Load(),
		WorkerRestarts: c.restarts.Load(),
	}
}

// counters are what Stats reads. The scheduler's goroutine writes most of them; a
// download that never reaches it is counted where it ends.
type counters struct {
	queued, active, done, failed, canceled atomic.Int64

	bytes                                                   atomic.Int64
	heads, gets, attributes, lists                          atomic.Int64
	throttled, stalled, connection, unexpected, other, slow atomic.Int64
	workers, restarts                                       atomic.Int64
}

// ended counts a download's end.
func (c *counters) ended(begun bool, err error) {
	if begun {
		c.active.Add(-1)
	} else {
		c.queued.Add(-1)
	}
	switch {
	case err == nil:
		c.done.Add(1)
	case errors.Is(err, ErrCanceled):
		c.canceled.Add(1)
	default:
		c.failed.Add(1)
	}
}

// begun counts a download's start.
func (c *counters) begun() {
	c.queued.Add(-1)
	c.active.Add(1)
}

// requested counts an attempt.
func (c *counters) requested(op ipc.Op) {
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

func (c *counters) retried(op ipc.Op, kind failure.Kind) {
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

// wrote counts what is new of the bytes that a worker has written of a job's range.
func (c *counters) wrote(j *job, written int64) {
	if j.op != ipc.OpGet {
		return // kept bytes that were read back
	}
	c.bytes.Add(max(0, written-j.counted))
	j.counted = written
}
