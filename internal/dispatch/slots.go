package dispatch

import (
	"slices"
	"time"

	"github.com/s3processpool/processpool/internal/pool"
)

// lookEvery is how often tasks are offered the slots that are free for long.
const lookEvery = 250 * time.Millisecond

// minWindow lets small tasks keep a small crew busy.
const minWindow = 100

func now() time.Time { return time.Now() }

// hand is a worker that is up, with the jobs it has.
type hand struct {
	worker pool.Worker
	jobs   []*Job // with a slot
	ahead  []*Job // that wait for one: none where a slot is free
	rate   int64  // bytes a second, as it was told; 0: no limit
	warm   bool   // it had a job, or was told to connect
}

// handOut gives jobs to free slots until one of the two runs out.
func (l *Loop) handOut() {
	if l.attempts.behind() {
		return
	}
	for {
		h := l.freeHand()
		if h == nil || !l.mayAsk() {
			return
		}
		j := l.nextJob()
		if j == nil {
			l.short = true
			l.spare()
			return
		}
		l.give(j, h)
		l.asks()
	}
}

// give gives a worker a job.
func (l *Loop) give(j *Job, h *hand) {
	l.lastJob++
	j.id, j.loop, j.hand = l.lastJob, l, h
	h.warm = true
	if j.waits {
		h.ahead = append(h.ahead, j)
	} else {
		h.jobs = append(h.jobs, j)
	}
	if j.Message != nil {
		j.Send(j.Message, j.File)
	}
}

// nextJob returns the job of an urgent task, or the oldest task's next job.
func (l *Loop) nextJob() *Job {
	for len(l.urgent) > 0 {
		t := l.urgent[0]
		l.urgent = slices.Delete(l.urgent, 0, 1)
		if j := t.Next(); j != nil {
			j.task = t
			return j
		}
	}
	for _, t := range l.active {
		brief := t.Brief()
		if j := t.Next(); j != nil {
			j.task, j.brief = t, brief
			return j
		}
	}
	return nil
}

// freeHand returns the worker with the fewest jobs and a free slot: of equal ones that of the
// lowest seat, whose connection is the likeliest to be warm.
func (l *Loop) freeHand() *hand {
	var best *hand
	for _, h := range l.hands {
		if n := len(h.jobs); n < l.options.Requests && (best == nil || n < len(best.jobs)) {
			best = h
			if n == 0 {
				break
			}
		}
	}
	return best
}

// Free returns the number of free slots that may be used. Loop goroutine only.
func (l *Loop) Free() (n int) {
	for _, h := range l.hands {
		n += l.options.Requests - len(h.jobs)
	}
	return min(n, l.room())
}

// lookIn has the loop look again in d, or earlier.
func (l *Loop) lookIn(d time.Duration) {
	if at := now().Add(d); l.lookAt.IsZero() || at.Before(l.lookAt) {
		l.lookAt = at
		l.look.Reset(d)
	}
}

// Slots returns the number of jobs that a full crew has at a time.
func (l *Loop) Slots() int { return l.options.Processes * l.options.Requests }

// Window returns how many entries one walk or list may have queued or active at a time: twice the
// slots, and at least 100.
func (l *Loop) Window() int { return max(minWindow, 2*l.Slots()) }

// admit begins as many entries as there are free slots that nobody will ask for soon, and places for
// jobs ahead.
func (l *Loop) admit(places int) {
	free := l.Free() + places
	for _, t := range l.active {
		if t.Soon() {
			free--
		}
	}
	for limit := 3 * l.Slots(); free > 0 && len(l.active) < limit; free-- {
		e := l.waiting.pop()
		if e == nil {
			return
		}
		ticket := e.Ticket()
		ticket.task = e.Begin(l)
		l.active = append(l.active, ticket.task)
	}
}

// spare offers free slots to the tasks under way, unless others wait for them.
func (l *Loop) spare() {
	if l.waiting.live > 0 {
		return
	}
	free, now, again := l.Free(), now(), false
	for _, h := range l.hands {
		for _, j := range h.jobs {
			if j.reclaimed {
				free-- // for what is missing of it
			}
		}
	}
	for _, t := range l.active {
		taken, more := t.Spare(max(free, 0), now)
		free -= taken
		again = again || more
	}
	if again && free > 0 {
		l.lookIn(lookEvery)
	}
}

// job returns what a worker speaks of, or nil if it has no such job.
func (l *Loop) job(w pool.Worker, id uint64) *Job {
	for _, h := range l.hands {
		if h.worker == w {
			return h.job(id)
		}
	}
	return nil
}

// End takes an entry that has ended out of the loop. Loop goroutine only.
func (l *Loop) End(e Entry) {
	if at := slices.Index(l.active, e.Ticket().task); at >= 0 {
		l.active = slices.Delete(l.active, at, at+1)
	}
	l.leave(e)
}

// leave marks an entry as ended, and forgets its context.
func (l *Loop) leave(e Entry) {
	l.unwatch(e)
	*e.Ticket() = Ticket{ended: true}
}
