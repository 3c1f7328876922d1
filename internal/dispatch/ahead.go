package dispatch

import (
	"errors"
	"slices"
	"time"
)

// A job that is done in some milliseconds is over before the loop has heard of it, found the next
// one and created its file. So workers that are busy with such jobs get further ones ahead, if those
// are brief too, and begin each when they have sent the Result before it. A job that had to wait for
// long after all is taken back.
//
// What a job costs its worker counts from when it begins: until then it waits. The worker begins its
// jobs in the order in which they were sent.

const (
	// overdue is how long a brief job may take before those behind it are taken back.
	overdue = 250 * time.Millisecond
	// idle is the same while a slot is free that has no other job.
	idle = 20 * time.Millisecond
)

var errRecalled = errors.New("taken back from a worker that had not begun it")

// handAhead gives busy workers jobs for later, in the order in which handOut would. It returns how many
// more they could get.
func (l *Loop) handAhead() (places int) {
	if !l.mayWait() {
		return 0
	}
	at, more := now(), true
	for _, h := range l.hands {
		room := h.room(l.options.Requests, at)
		for more && room > 0 {
			j := l.nextBrief()
			if more = j != nil; more {
				j.waits, j.brief = true, true
				l.give(j, h)
				room--
			}
		}
		places += room
	}
	return places
}

// mayWait reports whether jobs may be handed out ahead: there is no slot that they could have instead,
// nor one that will be free sooner or later than the others, so that younger jobs would go before; and
// nothing limits the requests, for a job that waits is begun without a look at those limits.
func (l *Loop) mayWait() bool {
	if len(l.hands) < l.options.Processes || l.climb != nil || l.requests.Limited() || l.rate.Limit() > 0 || l.attempts.behind() {
		return false
	}
	for _, h := range l.hands {
		for _, j := range h.jobs {
			if !j.brief {
				return false
			}
		}
	}
	return l.Free() == 0
}

// nextBrief returns the next job, if that is brief.
func (l *Loop) nextBrief() *Job {
	if len(l.urgent) > 0 {
		return nil
	}
	for _, t := range l.active {
		if t.Ready() == 0 {
			continue
		}
		if !t.Brief() {
			return nil
		}
		if j := t.Next(); j != nil {
			j.task = t
			return j
		}
	}
	return nil
}

// ahead reports whether a job waits behind another one.
func (l *Loop) ahead() bool {
	return slices.ContainsFunc(l.hands, func(h *hand) bool { return len(h.ahead) > 0 })
}

// recall takes jobs back that wait behind one that takes long.
func (l *Loop) recall() {
	if !l.ahead() {
		return
	}
	limit, at := overdue, now()
	if l.Free() > 0 {
		limit = idle
	}
	for _, h := range l.hands {
		if len(h.ahead) == 0 {
			continue
		}
		if left := limit - h.busyFor(at); left > 0 {
			l.lookIn(left)
			continue
		}
		for _, j := range h.ahead {
			if j.place > 0 && !j.recalled {
				j.recalled = true
				h.worker.Recall(j.id)
			}
		}
	}
}

// room returns how many jobs the worker can get ahead: as many as it has slots, if all that it has
// have begun, and none is overdue.
func (h *hand) room(slots int, at time.Time) int {
	if len(h.jobs) < slots || h.busyFor(at) >= overdue {
		return 0
	}
	for _, j := range h.jobs {
		if !j.Sent() {
			return 0
		}
	}
	return slots - len(h.ahead)
}

// busyFor returns how long before at the oldest job with a slot began.
func (h *hand) busyFor(at time.Time) (d time.Duration) {
	for _, j := range h.jobs {
		if j.Sent() {
			d = max(d, at.Sub(j.Begun))
		}
	}
	return d
}

// job returns the job of that id, or nil.
func (h *hand) job(id uint64) *Job {
	for _, jobs := range [][]*Job{h.jobs, h.ahead} {
		if at := slices.IndexFunc(jobs, func(j *Job) bool { return j.id == id }); at >= 0 {
			return jobs[at]
		}
	}
	return nil
}

// all returns the jobs that the worker has, with and without a slot.
func (h *hand) all() []*Job { return slices.Concat(h.jobs, h.ahead) }

// sends notes that a job is sent. If it waits while another one has a slot and was not sent, the worker
// begins this one first, and they change places.
func (h *hand) sends(j *Job) {
	if j.waits {
		for _, other := range h.jobs {
			if other.place == 0 {
				h.ahead[slices.Index(h.ahead, j)] = other
				h.jobs = without(h.jobs, other)
				other.waits = true
				h.begin(j)
				return
			}
		}
		return
	}
	j.begins()
}

// begin gives a job a slot.
func (h *hand) begin(j *Job) {
	j.waits = false
	h.jobs = append(h.jobs, j)
	if j.place > 0 {
		j.begins()
	}
}

// leave takes a job out, and gives the slot that is free then to the one that was sent first of those
// that wait, or that is to be sent.
func (h *hand) leave(j *Job) {
	if j.waits {
		h.ahead = without(h.ahead, j)
		return
	}
	h.jobs = without(h.jobs, j)
	if len(h.ahead) == 0 {
		return
	}
	at := 0
	for i, other := range h.ahead {
		if first := h.ahead[at]; other.place > 0 && (first.place == 0 || other.place < first.place) {
			at = i
		}
	}
	next := h.ahead[at]
	h.ahead = slices.Delete(h.ahead, at, at+1)
	h.begin(next)
	next.loop.asks()
}

func without(jobs []*Job, j *Job) []*Job {
	return slices.DeleteFunc(jobs, func(other *Job) bool { return other == j })
}
