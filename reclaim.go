package processpool

import (
	"errors"
	"log/slog"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/tail"
)

// A download ends with the last of its ranges. Where nothing is left to hand out and slots are free, the
// ranges of connections that have become slow are taken back from their workers, and what is
// missing of them is shared out.

const (
	lookEvery  = 250 * time.Millisecond // at ranges under way, while slots are free
	leastPiece = 1 << 20                // of what is missing, in bytes
	maxReclaim = 2                      // times that the same bytes are taken back
)

// reclaim takes slow ranges back, as many as there are free slots.
func (s *scheduler) reclaim() {
	if s.waiting.live > 0 {
		return // the slots will not be free for long
	}
	free, now, again := s.free(), time.Now(), false
	for _, t := range s.active {
		for _, j := range t.jobs {
			if j.reclaimed {
				free-- // for what is missing of it
			}
		}
	}
	for _, t := range s.active {
		for _, j := range t.jobs {
			if !t.reclaimable(j) {
				continue
			}
			again = true
			r := tail.Range{Length: j.span.length, Written: j.written, Again: j.span.length - t.kept(j), Begun: j.begun, Heard: j.heard}
			if free > 0 && t.pace.Slow(r, now) {
				free--
				j.reclaimed = true
				t.log(slog.LevelInfo, "range taken back: its connection is slow", "offset", j.span.offset, "length", j.span.length,
					"written", j.written, "worker", j.hand.worker.PID)
				j.hand.worker.Cancel(j.id)
			}
		}
	}
	if again && free > 0 {
		s.look.Reset(lookEvery)
	}
}

// reclaimable tells whether others could go on with the job's range. One that is between two attempts is
// left alone: its worker knows how long to wait.
func (t *transfer) reclaimable(j *job) bool {
	return t.stage == stageFetching && t.pace.Known() && !t.unconfirmed &&
		j.op == ipc.OpGet && j.sent && !j.reclaimed && !j.retrying && j.span.reclaimed < maxReclaim
}

// reclaimed shares out what a worker that was told to stop has not written, or reports that this
// is not why the job failed.
func (t *transfer) reclaimed(j *job, r *ipc.Result) bool {
	if !j.reclaimed || !errors.Is(r.Err.Unpack(), failure.ErrCanceled) {
		return false
	}
	t.scheduler.counters.slow.Add(1)
	s := j.span
	s.reclaimed++
	t.takeBack(j, s, t.scheduler.free())
	return true
}
