package transfer

import (
	"fmt"

	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// Lost implements dispatch.Task. What the worker had reported of a span stays in the file, where it
// is known of which version it is, and the checksum can be continued from there.
func (t *transfer) Lost(j *dispatch.Job, err error) {
	w := t.take(j)
	switch {
	case t.stage.over():
		t.drained()
	case j.Op == ipc.OpRead:
		t.lostRead(w, err)
	case j.Op == ipc.OpGet:
		t.lostGet(w, err)
	default:
		t.tried = j.Requests()
		if t.cost += j.Cost(); t.cost >= maxLost {
			t.fail(t.stage.op(), err)
		}
	}
}

func (t *transfer) lostGet(w *work, err error) {
	if w.Cost() == 0 {
		t.spans.giveBack(w.span)
		return
	}
	s := w.span
	s.tried = w.Requests()
	if w.Reclaimed() { // killed because it did not let go: it is slow, and that is known
		s.reclaimed++
	} else {
		s.lost++
	}
	if w.Written > s.best { // it got further than any before it: the range does not kill its workers
		s.lost, s.best = 0, w.Written
	}
	if s.lost >= maxLost {
		t.fail(failure.OpGet, fmt.Errorf("a range of %d bytes at %d has cost %d workers: %w", s.length, s.offset, s.lost, err))
		return
	}
	t.logger.Warn("range taken back from a lost worker", "offset", s.offset, "length", s.length, "written", w.Written, "worker", w.PID())
	t.takeBack(w, s, 1)
	if t.stage == stageProbing && t.plan.end == ipc.SizeUnknown {
		t.discard(stageProbing) // the worker may have written more than the next one will find
	}
}

// kept returns how many of the bytes that a job has reported stay if it ends early: none, where
// they are not known to be of the object's version, or the checksum cannot be continued from there.
func (t *transfer) kept(w *work) int64 {
	if !t.plan.confirmed || !t.divisible() {
		return 0
	}
	return w.Written
}

// divisible reports whether a range may arrive in pieces.
func (t *transfer) divisible() bool { return t.ledger == nil || t.ledger.Combines() }

// takeBack keeps what it can of a job's span, and gives the rest back in so many pieces, or fewer
// if they would be small.
func (t *transfer) takeBack(w *work, s span, pieces int) {
	n := t.kept(w)
	if !t.divisible() {
		pieces = 1
	}
	if n < s.length || s.length == 0 {
		rest := s
		rest.offset, rest.length, rest.best = s.offset+n, s.length-n, max(0, s.best-n)
		t.spans.share(rest, pieces)
	}
	if n > 0 {
		t.note(s, n, w.Record)
		t.arrived(w, n, w.Sum, nil, w.Also)
	}
}
