package dispatch

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/flow"
)

// Options of New.
type Options struct {
	Crew      Crew
	Processes int // in the crew
	Requests  int // that one of them makes at a time: its slots
	Logger    *slog.Logger
	Counters  *Counters
	OnAttempt func(Attempt) // told of each request's end, one at a time; nil: nobody is

	MaxBytesPerSecond int64 // of all workers together; 0: no limit
	Adaptive          bool  // the number of jobs at a time is found by measuring
}

// Loop is the run loop. Do, Ended and Window may be called from any goroutine; everything else is
// the loop's own.
type Loop struct {
	options  Options
	crew     Crew
	logger   *slog.Logger
	counters *Counters
	attempts *attempts // nil: nobody is told of requests

	calls chan func()
	ended chan struct{} // closed when run has returned

	urgent    []Task // not under way; they go first
	waiting   queue
	contexts  contexts
	active    []Task         // oldest first
	look      *time.Timer    // at what nobody tells the loop of: the time that something takes
	lookAt    time.Time      // when it is due; zero: it is not set
	rate      flow.Rate      // of the bytes that the workers read
	rates     *time.Timer    // to share it anew
	requests  *flow.Requests // that may be in flight
	due       *time.Timer    // when the next request may be sent
	told      time.Time      // when the log was last told of a limit of the requests; zero: there is none
	climb     *flow.Climb    // nil: not Adaptive
	climbs    *time.Timer    // to measure
	climbing  bool           // climbs runs
	read      int64          // bytes since the last measure
	short     bool           // since then there was a slot without a job
	hands     []*hand        // workers that are up, by seat
	seats     map[int]bool   // that had a worker before
	lastJob   uint64
	sends     uint64       // jobs that were sent
	recruited int          // workers that were asked for
	enlisted  time.Time    // when the last of them were
	ready     []chan error // those who wait for a first worker
	holds     map[*Hold]struct{}
	broken    error // why no worker can be started
	draining  bool  // Shutdown was called
	stopped   bool  // and so was the crew's Stop
}

// New starts the crew, and the loop that drives it. The loop ends after Shutdown.
func New(o Options) *Loop {
	l := &Loop{
		options:  o,
		crew:     o.Crew,
		logger:   o.Logger,
		counters: o.Counters,
		contexts: contexts{},
		holds:    map[*Hold]struct{}{},
		calls:    make(chan func()),
		ended:    make(chan struct{}),
		seats:    map[int]bool{},
		look:     time.NewTimer(time.Hour),
		rates:    time.NewTimer(time.Hour),
		requests: flow.NewRequests(o.Processes * o.Requests),
		due:      time.NewTimer(time.Hour),
		climbs:   time.NewTimer(time.Hour),
	}
	l.look.Stop()
	l.rates.Stop()
	l.due.Stop()
	l.climbs.Stop()
	if o.Adaptive {
		l.climb = flow.NewClimb(l.Slots())
	}
	l.rate.SetLimit(o.MaxBytesPerSecond, now())
	l.attempts = newAttempts(o.OnAttempt, l.Slots(), o.Logger)
	l.crew.Start()
	go l.run()
	return l
}

// Do has the loop's goroutine call fn, and returns when it has begun to. It returns false, and fn
// is not called, if the loop has ended.
func (l *Loop) Do(fn func()) bool {
	select {
	case l.calls <- fn:
		return true
	case <-l.ended:
		return false
	}
}

// Ended returns a channel that is closed when the loop has ended, and no worker is left.
func (l *Loop) Ended() <-chan struct{} { return l.ended }

func (l *Loop) run() {
	defer close(l.ended)
	defer l.attempts.stop()
	defer l.look.Stop()
	defer l.rates.Stop()
	defer l.due.Stop()
	defer l.climbs.Stop()
	events := l.crew.Events()
	for {
		select {
		case fn := <-l.calls:
			fn()
		case e, open := <-events:
			if !open {
				return
			}
			l.handle(e)
		case <-l.attempts.caughtUp():
		case <-l.look.C:
			l.lookAt = time.Time{}
		case <-l.rates.C:
			l.reshare()
		case <-l.due.C:
		case <-l.climbs.C:
			l.measure()
		}
		l.handOut()
		l.admit(l.handAhead())
		l.recall()
		l.recruit()
		l.connect()
		l.stop()
	}
}

// Submit queues an entry, and has it canceled when ctx ends. After Shutdown it refuses the entry.
// Loop goroutine only.
func (l *Loop) Submit(ctx context.Context, e Entry) {
	if l.draining {
		l.refuse(e, failure.OpStart, failure.ErrShutdown)
		return
	}
	l.queue(ctx, e)
}

func (l *Loop) queue(ctx context.Context, e Entry) {
	switch {
	case e.Ticket().ended: // canceled before it was submitted
		return
	case ctx.Err() != nil:
		l.refuse(e, failure.OpStart, failure.Canceled(ctx))
		return
	}
	l.watch(ctx, e)
	l.revive()
	l.waiting.push(e)
}

// Urgent queues a task that goes before all others. It is taken out of this queue, for good, when
// its Next is called; a task that has no end of its own to tell. Loop goroutine only.
func (l *Loop) Urgent(t Task) {
	l.revive()
	l.urgent = append(l.urgent, t)
}

// Cancel ends an entry with cause, whether it has begun or not. Loop goroutine only.
func (l *Loop) Cancel(e Entry, cause error) {
	ticket := e.Ticket()
	switch {
	case ticket.ended:
	case ticket.task != nil:
		ticket.task.Cancel(cause)
	default:
		if ticket.queued {
			l.waiting.live--
		}
		l.refuse(e, failure.OpQueue, cause)
	}
}

func (l *Loop) refuse(e Entry, op string, err error) {
	l.leave(e)
	e.Refuse(op, err)
}

// Await has all workers started, and ready told when one is up, or that none will be. ready has room
// for one. Loop goroutine only.
func (l *Loop) Await(ready chan error) {
	l.revive()
	l.enlist(l.options.Processes)
	l.ready = append(l.ready, ready)
	if len(l.hands) > 0 {
		l.answerReady(nil)
	}
}

func (l *Loop) answerReady(err error) {
	for _, ready := range l.ready {
		ready <- err
	}
	l.ready = nil
}

// Shutdown lets everything under way end, and then the crew. Loop goroutine only.
func (l *Loop) Shutdown() { l.draining = true }

// Close is Shutdown, but cancels everything that waits or is under way. Loop goroutine only.
func (l *Loop) Close() {
	l.draining = true
	for h := range l.holds {
		h.cancel()
	}
	for e := l.waiting.pop(); e != nil; e = l.waiting.pop() {
		l.refuse(e, failure.OpQueue, failure.ErrCanceled)
	}
	for _, t := range slices.Clone(l.active) {
		t.Cancel(failure.ErrCanceled)
	}
}

// stop stops the crew when Shutdown was called and nothing is left.
func (l *Loop) stop() {
	if l.draining && !l.stopped && len(l.active) == 0 && l.waiting.live == 0 && len(l.holds) == 0 {
		l.stopped = true
		l.crew.Stop()
		l.answerReady(failure.ErrShutdown)
	}
}

// revive lets workers try again to start.
func (l *Loop) revive() {
	if l.broken != nil {
		l.broken = nil
		l.crew.Revive()
	}
}
