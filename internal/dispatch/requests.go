package dispatch

import (
	"cmp"
	"math"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/flow"
	"github.com/s3processpool/processpool/internal/ipc"
)

// inFlight returns the number of jobs that have a slot, those that pause between attempts included.
func (l *Loop) inFlight() (n int) {
	for _, h := range l.hands {
		n += len(h.jobs)
	}
	return n
}

// room returns how many jobs more may be in flight.
func (l *Loop) room() int {
	n := l.inFlight()
	room := l.requests.Room(n)
	if l.climb != nil {
		room = min(room, max(0, l.climb.Limit()-n))
	}
	return room
}

// mayAsk reports whether another job may be handed out. If it is only too early, the loop looks again
// when it is time.
func (l *Loop) mayAsk() bool {
	n := l.inFlight()
	ok, wait := l.requests.May(n, now())
	if wait > 0 {
		l.due.Reset(wait)
	}
	l.noteLimit()
	return ok && (l.climb == nil || n < l.climb.Limit())
}

// asks notes that a job is handed out.
func (l *Loop) asks() {
	l.requests.Sent(now())
	if l.climb != nil && !l.climbing {
		l.climbing = true
		l.climb.Pause()
		l.climbs.Reset(flow.Every)
	}
}

// measure is called every flow.Every while the pool is busy, with Adaptive.
func (l *Loop) measure() {
	n := l.inFlight()
	if l.short || l.requests.Limited() {
		l.climb.Pause() // there was no more to ask, or S3 decides how much
	} else {
		l.climb.Tick(now(), l.read, n)
	}
	l.noteLimit()
	l.short, l.read = false, 0
	if l.climbing = n > 0; l.climbing {
		l.climbs.Reset(flow.Every)
	}
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
	limit, throttled := l.Slots(), l.requests.Limited()
	if l.climb != nil {
		limit = l.climb.Limit()
	}
	if throttled {
		limit = min(limit, int(math.Ceil(l.requests.Limit())))
	}
	if limit == l.Slots() && !throttled {
		limit = 0
	}
	before := int(l.counters.limit.Swap(int64(limit)))
	at := now()
	switch {
	case limit == before:
	case limit == 0 && l.climb == nil:
		l.logger.Info("requests are not limited any more")
		l.told = time.Time{}
	case throttled && before > 0 && limit > before, at.Sub(l.told) < logEvery: // it grows a little all the time
	case throttled:
		l.told = at
		l.logger.Info("S3 asks for a slower pace: fewer requests are made at a time", "limit", limit, "of", l.Slots())
	default:
		l.told = at
		l.logger.Info("another number of requests at a time", "limit", cmp.Or(limit, l.Slots()), "of", l.Slots())
	}
}
