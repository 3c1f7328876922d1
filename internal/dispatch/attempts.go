package dispatch

import (
	"log/slog"
	"sync"
	"time"

	"github.com/s3processpool/processpool/internal/ipc"
)

// Attempt is the end of a request to S3, as the public Attempt.
type Attempt struct {
	Transfer    int64 // NoTransfer: it is of a listing
	Bucket, Key string
	Worker      int // pid

	Op                            ipc.Op
	Offset, Length                int64 // asked for; ipc.SizeUnknown: the whole object, of unknown size
	Number                        int
	Start, End                    time.Time
	Bytes                         int64 // of the body
	Status                        int   // 0: no answer
	RequestID, HostID, RemoteAddr string
	Err                           error // nil: it succeeded

	size int      // of the texts, in bytes
	of   *backlog // of its job
}

// backlog is what waits for the caller, or what of it is of one job.
type backlog struct {
	waiting int
	text    int // bytes
}

func (b *backlog) add(n, text int) { b.waiting, b.text = b.waiting+n, b.text+text }

// over reports whether as much waits, in number or in bytes.
func (b *backlog) over(waiting int) bool {
	return b.waiting >= waiting || b.text >= waiting*averageText
}

// NoTransfer is the Job.Transfer of a job that is of no download.
const NoTransfer = -1

// Limits of what waits for a caller that is slow. From the first on, no further job is handed out.
// What workers still report of those that they have is kept up to factor times as much in all, and of
// one job up to half as much, so that no single worker can hold up the jobs of others.
const (
	leastWaiting = 2048
	factor       = 8
	averageText  = 1 << 10 // bytes, of one; an honest one has far less unless it has failed
)

// attempts tells a caller of the requests, one at a time, in a goroutine of its own, so that a slow
// caller does not hold up the loop. Nil attempts tell nobody.
type attempts struct {
	call   func(Attempt)
	logger *slog.Logger
	least  int           // that may wait
	room   chan struct{} // holds one when the caller has caught up
	done   chan struct{}

	mu struct {
		sync.Mutex
		changed sync.Cond
		waiting []Attempt // the oldest first
		backlog backlog
		added   uint64 // in all
		told    uint64 // calls that have returned
		held    bool   // no job is handed out
		dropped int
		closed  bool
	}
}

func newAttempts(call func(Attempt), slots int, logger *slog.Logger) *attempts {
	if call == nil {
		return nil
	}
	a := &attempts{
		call: call, logger: logger, least: max(leastWaiting, 2*slots),
		room: make(chan struct{}, 1), done: make(chan struct{}),
	}
	a.mu.changed.L = &a.mu
	go a.run()
	return a
}

// run calls the caller until stop.
func (a *attempts) run() {
	defer close(a.done)
	for {
		next, ok := a.next()
		if !ok {
			return
		}
		a.call(next)
		a.called()
	}
}

// next waits for an attempt. ok is false when there will be none.
func (a *attempts) next() (next Attempt, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.mu.waiting) == 0 && !a.mu.closed {
		a.mu.changed.Wait()
	}
	if len(a.mu.waiting) == 0 {
		return Attempt{}, false
	}
	next = a.mu.waiting[0]
	a.mu.waiting[0] = Attempt{}
	a.mu.waiting = a.mu.waiting[1:]
	a.mu.backlog.add(-1, -next.size)
	next.of.add(-1, -next.size)
	return next, true
}

// called counts a call that has returned.
func (a *attempts) called() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.told++
	a.mu.changed.Broadcast()
	if a.mu.dropped > 0 && len(a.mu.waiting) == 0 {
		a.logger.Error("OnAttempt has caught up", "not reported", a.mu.dropped)
		a.mu.dropped = 0
	}
	if a.mu.held && !a.mu.backlog.over(a.least/2) {
		a.mu.held = false
		select {
		case a.room <- struct{}{}:
		default: // the loop has yet to look at the last one
		}
	}
}

// add has the caller told of an attempt. It does not block.
func (a *attempts) add(next Attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.backlog.over(factor*a.least) || next.of.over(a.least/2) {
		if a.mu.dropped++; a.mu.dropped == 1 {
			a.logger.Error("OnAttempt is too slow: requests are not reported", "transfer", next.Transfer)
		}
		return
	}
	a.mu.waiting = append(a.mu.waiting, next)
	a.mu.backlog.add(1, next.size)
	next.of.add(1, next.size)
	a.mu.added++
	a.mu.changed.Broadcast()
}

// behind reports whether so much waits that no further job is to be handed out. When that is over,
// caughtUp receives.
func (a *attempts) behind() bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.backlog.over(a.least) {
		a.mu.held = true
	}
	return a.mu.held
}

// caughtUp receives when behind is to be asked again.
func (a *attempts) caughtUp() <-chan struct{} {
	if a == nil {
		return nil
	}
	return a.room
}

// pending returns a function that waits until the caller was told of all attempts so far.
func (a *attempts) pending() (wait func()) {
	if a == nil {
		return func() {}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	mark := a.mu.added
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		for a.mu.told < mark {
			a.mu.changed.Wait()
		}
	}
}

// stop returns when the caller was told of everything.
func (a *attempts) stop() {
	if a == nil {
		return
	}
	a.mu.Lock()
	a.mu.closed = true
	a.mu.changed.Broadcast()
	a.mu.Unlock()
	<-a.done
}

// Told returns a function that waits until OnAttempt was told of all attempts that the loop has heard
// of. Any goroutine may call both.
func (l *Loop) Told() (wait func()) { return l.attempts.pending() }
