package transfer

import (
	"errors"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// A download ends with the last of its ranges. Where nothing is left to hand out and slots are
// free, the ranges of connections that have become slow are taken back from their workers, and what
// is missing of them is shared out.

const (
	leastPiece = 1 << 20 // of what is missing, in bytes
	maxReclaim = 2       // times that the same bytes are taken back
)

// Spare implements dispatch.Task.
func (t *transfer) Spare(free int, now time.Time) (taken int, again bool) {
	for _, w := range t.works {
		if !t.reclaimable(w) {
			continue
		}
		again = true
		u := underway{length: w.span.length, written: w.Written, again: w.span.length - t.kept(w), begun: w.Begun, heard: w.Heard,
			limited: w.Limited, rate: t.loop.FairRate()}
		if taken < free && t.pace.slow(u, now, t.env.Slow) {
			taken++
			t.logger.Info("range taken back from a slow connection", "offset", w.span.offset, "length", w.span.length,
				"written", w.Written, "worker", w.PID())
			w.Reclaim()
		}
	}
	return taken, again
}

// reclaimable reports whether others could continue the job's range. One that is between two
// attempts is left alone: its worker knows how long to wait.
func (t *transfer) reclaimable(w *work) bool {
	return t.stage == stageFetching && t.pace.known() &&
		w.Op == ipc.OpGet && w.Sent() && !w.Reclaimed() && !w.Retrying && w.span.reclaimed < maxReclaim
}

// shareOut shares what a worker that was told to stop has not written, or reports that this is not
// why the job failed.
func (t *transfer) shareOut(w *work, err error) bool {
	if !w.Reclaimed() || !errors.Is(err, failure.ErrCanceled) {
		return false
	}
	t.env.Counters.Slow()
	s := w.span
	s.reclaimed++
	s.tried = w.Requests()
	t.takeBack(w, s, t.loop.Free())
	return true
}
