package dispatch

import (
	"math"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// inFlight returns the number of jobs that have a slot, those that pause between attempts included.
func (l *Loop) inFlight() (n int) {
	for _, h := range l.hands {
		n += len(h.jobs)
	}
	return n
}

// mayAsk reports whether another job may be handed out. If it is only too early, the loop looks again
// when it is time.
func (l *Loop) mayAsk() bool {
	ok, wait := l.requests.May(l.inFlight(), now())
	if wait > 0 {
		l.due.Reset(wait)
	}
	l.noteLimit()
	return ok
}

// refused notes that S3 has asked for a slower pace, and how long it asks to wait. Only the first
// attempt of a job counts: when the others are made is the worker's decision.
func (j *Job) refused(asked time.Duration) {
	if j.repeats {
		return
	}
	l := j.loop
	if l.requests.Refused(j.Begun, now(), l.inFlight(), asked) {
		l.noteLimit()
	}
}

// ended notes the end of a job's only attempt.
func (j *Job) ended(r *ipc.Result) {
	switch {
	case j.repeats || j.Op == ipc.OpRead || !j.Sent():
	case r.Err == nil:
		j.loop.requests.Answered(j.Begun, now())
	case failure.ClassOf(r.Err.Unpack()) == failure.Throttling:
		j.refused(0)
	}
}

// logEvery is the shortest time between two records about the limit of requests.
const logEvery = time.Second

// noteLimit brings the counters up to date, and tells the log.
func (l *Loop) noteLimit() {
	limit := int64(0)
	if l.requests.Limited() {
		limit = int64(math.Ceil(l.requests.Limit()))
	}
	before := l.counters.limit.Swap(limit)
	at := now()
	switch {
	case limit == 0 && before > 0:
		l.logger.Info("requests are not limited any more")
		l.told = time.Time{}
	case limit > 0 && (limit < before || before == 0) && at.Sub(l.told) >= logEvery:
		l.logger.Info("S3 asks for a slower pace: fewer requests are made at a time", "limit", limit, "of", l.Slots())
		l.told = at
	}
}
