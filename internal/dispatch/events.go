package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/pool"
)

// handle passes an event of the crew on.
func (l *Loop) handle(e pool.Event) {
	switch e := e.(type) {
	case pool.Up:
		l.up(e.Worker)
	case pool.Down:
		l.down(e)
	case pool.Broken:
		l.giveUp(e.Err)
	case pool.Found:
		if j := l.job(e.Worker, e.ID); j != nil {
			j.task.Found(j, e.Found)
		}
	case pool.Progress:
		if j := l.job(e.Worker, e.ID); j != nil {
			j.progress(e.Progress)
		}
	case pool.Retry:
		if j := l.job(e.Worker, e.ID); j != nil {
			j.retry(e.Retry)
		}
	case pool.Attempt:
		if j := l.job(e.Worker, e.ID); j != nil {
			j.attempted(e.Attempt)
		}
	case pool.Result:
		if j := l.job(e.Worker, e.ID); j != nil {
			j.result(e.Result)
		}
	default:
		l.logger.Error("unknown event of the pool", "event", e)
	}
}

// progress brings a job's numbers up to date, and tells its task.
func (j *Job) progress(p *ipc.Progress) {
	j.wrote(p.Written)
	j.Written, j.Sum, j.Record, j.Also = p.Written, p.Sum, p.Record, p.Also
	j.Heard, j.Retrying = now(), false
	j.task.Progress(j, p)
}

// retry notes that an attempt has failed. An answer that cannot be trusted takes back what was
// reported of it: the worker writes those bytes again.
func (j *Job) retry(r *ipc.Retry) {
	j.Retrying = true
	if r.Kind == failure.KindUnexpected {
		j.Written, j.Sum, j.Record, j.Also = 0, 0, 0, nil
	}
	j.requests.retried(r, j.Written)
	j.loop.counters.retried(j.Op, r.Kind)
	if r.Kind == failure.KindThrottled {
		j.refused(r.Asked)
	}
	j.repeats = true
	j.log(slog.LevelInfo, "attempt failed", "attempt", r.Attempt, "wait", r.Wait, "request", r.Request, "error", r.Cause)
	j.task.Retry(j, r)
}

// result ends a job and frees its slot.
func (j *Job) result(r *ipc.Result) {
	j.hand.leave(j)
	j.loop.leaves(j)
	if r.Waited {
		j.unseen = true
		j.task.Lost(j, errRecalled)
		return
	}
	j.ended(r)
	if r.Err == nil {
		if r.Get != nil {
			j.wrote(r.Get.Written)
		}
		j.log(slog.LevelDebug, "answered", "request", r.Request)
	}
	j.task.Result(j, r)
}

// log logs a record about the job. There is one for each range, so that it costs nothing where
// nobody wants it.
func (j *Job) log(level slog.Level, text string, args ...any) {
	logger := j.task.Logger()
	if !logger.Enabled(context.Background(), level) {
		return
	}
	logger.Log(context.Background(), level, text,
		append([]any{"op", j.Op, "offset", j.Offset, "length", j.Length, "worker", j.PID()}, args...)...)
}

// up takes a worker into the crew.
func (l *Loop) up(w pool.Worker) {
	h := &hand{worker: w}
	at, _ := slices.BinarySearchFunc(l.hands, w.Seat(), func(h *hand, seat int) int { return h.worker.Seat() - seat })
	l.hands = slices.Insert(l.hands, at, h)
	l.counters.workers.Add(1)
	if l.seats[w.Seat()] {
		l.counters.restarts.Add(1)
	}
	l.seats[w.Seat()] = true
	l.answerReady(nil)
}

// down takes a worker out of the crew, and gives its jobs back to their tasks.
func (l *Loop) down(e pool.Down) {
	at := slices.IndexFunc(l.hands, func(h *hand) bool { return h.worker == e.Worker })
	h := l.hands[at]
	l.hands = slices.Delete(l.hands, at, at+1)
	l.counters.workers.Add(-1)
	l.rate.Gone(e.Worker.Seat())
	unread := e.Worker.Unread()
	jobs := h.all()
	h.jobs, h.ahead = nil, nil
	for _, j := range jobs {
		j.unseen = j.waits || slices.Contains(unread, j.id)
		if !j.unseen {
			j.cut(e.Err)
		}
		j.task.Lost(j, e.Err)
	}
}

// giveUp ends all tasks and entries: no worker can be started, and each seat has tried more than
// once. The next entry lets them try again.
func (l *Loop) giveUp(err error) {
	if !errors.Is(err, failure.ErrWorkerLost) {
		err = fmt.Errorf("%w: %w", failure.ErrWorkerLost, err)
	}
	err = fmt.Errorf("no worker could be started: %w", err)
	l.broken = err
	l.answerReady(err)
	urgent := l.urgent
	l.urgent = nil
	for _, t := range urgent {
		t.Abort(failure.OpStart, err)
	}
	for _, t := range slices.Clone(l.active) {
		t.Abort(failure.OpStart, err)
	}
	for e := l.waiting.pop(); e != nil; e = l.waiting.pop() {
		l.refuse(e, failure.OpStart, err)
	}
}
