package processpool

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/pool"
)

// scheduler hands jobs to workers. One goroutine, run, owns it: the API and the
// helpers of transfers send it functions through do, the pool sends it events, and
// it blocks on nothing else. What may block (the file system) is done by a
// transfer's own goroutine, which reports with do.
//
// Invariants:
//  1. A future is in waiting, or in active, or ended.
//  2. Each job in a worker's hands is in crew; its slot is taken until the worker
//     answers or is lost, though its transfer may have ended long before.
//  3. A slot is taken, too, while the temporary file for its job is created.
//  4. Oldest first: no job of a transfer is handed out while an older one has a job
//     to hand out. Only a listing goes before: one short request, at most one for each
//     Directory at a time, that all its further downloads wait for.
//  5. The pool is stopped when Shutdown has been called and no transfer and no
//     Directory is left; a Directory's downloads are taken until then.
type scheduler struct {
	config   Config
	logger   *slog.Logger
	pool     *pool.Pool
	counters *counters

	calls chan func()
	ended chan struct{} // closed when run has returned

	listings []*listing // not handed out
	waiting  queue
	contexts contexts
	active   []*transfer  // oldest first
	look     *time.Timer  // at slow ranges
	crew     []*hand      // workers that are up, by seat
	seats    map[int]bool // that had a worker before
	lastJob  uint64
	ready    []chan error // Starts that wait
	walks    int          // Directories under way
	broken   error        // no worker comes up
	draining bool         // Shutdown has been called
	stopped  bool         // and so has the pool's Stop
}

// hand is a worker that is up, with the jobs it has.
type hand struct {
	worker *pool.Worker
	jobs   map[uint64]*job
}

// job is one request to S3 in a worker's hands.
type job struct {
	id      uint64
	op      ipc.Op
	owner   owner
	hand    *hand
	span    span
	written int64  // of the span, as last reported
	counted int64  // of those, for Stats
	sum     uint64 // of those bytes
	record  uint64 // of those bytes, for the journal; OpRead: of the span, by the journal
	sent    bool   // to a worker that may have seen it

	begun     time.Time // when it was sent
	heard     time.Time // when something was last written
	retrying  bool      // nothing was written since an attempt failed
	reclaimed bool      // the worker was told to stop, for others are faster
}

// cost is what the loss of the worker counts against the job: nothing, if the worker
// never saw it.
func (j *job) cost() int {
	if j.sent {
		return 1
	}
	return 0
}

// failed notes that an attempt has. One whose answer cannot be trusted may have taken back what
// was reported of it.
func (j *job) failed(kind failure.Kind) {
	j.retrying = true
	if kind == failure.KindUnexpected {
		j.written, j.sum, j.record = 0, 0, 0
	}
}

// owner is what a job is done for: a transfer or a listing.
type owner interface {
	assign(*job)
	found(ipc.Object)
	progress(j *job, p *ipc.Progress)
	result(*job, *ipc.Result)
	lost(*job, error)
	log(level slog.Level, text string, args ...any)
}

func newScheduler(config Config, options pool.Options, c *counters) *scheduler {
	s := &scheduler{
		config:   config,
		logger:   config.Logger,
		pool:     pool.New(options),
		counters: c,
		contexts: contexts{},
		calls:    make(chan func()),
		ended:    make(chan struct{}),
		seats:    map[int]bool{},
		look:     time.NewTimer(time.Hour),
	}
	s.look.Stop()
	s.pool.Start()
	go s.run()
	return s
}

// do has the scheduler's goroutine call fn, or reports that it has ended.
func (s *scheduler) do(fn func()) bool {
	select {
	case s.calls <- fn:
		return true
	case <-s.ended:
		return false
	}
}

func (s *scheduler) run() {
	defer close(s.ended)
	defer s.look.Stop()
	events := s.pool.Events()
	for {
		select {
		case fn := <-s.calls:
			fn()
		case e, open := <-events:
			if !open {
				return
			}
			s.handle(e)
		case <-s.look.C:
		}
		s.dispatch()
	}
}

// submit queues a download. It is never too late: do has refused it otherwise, or
// shutdown is yet to see it.
func (s *scheduler) submit(ctx context.Context, f *Future) {
	switch {
	case s.draining && f.ends == nil:
		s.settle(f, Object{}, f.fail("start", ErrShutdown))
		return
	case ctx.Err() != nil:
		s.settle(f, Object{}, f.fail("start", canceled(ctx)))
		return
	}
	s.watch(ctx, f)
	s.revive()
	s.waiting.push(f)
}

// revive lets workers try again to come up.
func (s *scheduler) revive() {
	if s.broken != nil {
		s.broken = nil
		s.pool.Revive()
	}
}

// cancel ends a download early, with cause as its result.
func (s *scheduler) cancel(f *Future, cause error) {
	switch {
	case f.ended:
	case f.active != nil:
		f.active.cancel(cause)
	default:
		s.waiting.drop(f)
		s.settle(f, Object{}, f.fail("queue", cause))
	}
}

func (s *scheduler) settle(f *Future, o Object, err error) {
	f.ended = true
	f.active = nil
	s.unwatch(f)
	f.settle(o, err)
}

// await has ready told when a worker is up, or none will be.
func (s *scheduler) await(ready chan error) {
	s.revive()
	s.ready = append(s.ready, ready)
	if len(s.crew) > 0 {
		s.answerReady(nil)
	}
}

func (s *scheduler) answerReady(err error) {
	for _, ready := range s.ready {
		ready <- err
	}
	s.ready = nil
}

// shutdown lets what is under way end, and then the pool.
func (s *scheduler) shutdown() { s.draining = true }

func (s *scheduler) handle(e pool.Event) {
	switch e := e.(type) {
	case pool.Up:
		s.up(e.Worker)
	case pool.Down:
		s.down(e)
	case pool.Broken:
		s.brokenDown(e.Err)
	case pool.Found:
		if j := s.job(e.Worker, e.ID); j != nil {
			j.owner.found(e.Object)
		}
	case pool.Progress:
		if j := s.job(e.Worker, e.ID); j != nil {
			s.counters.wrote(j, e.Written)
			j.owner.progress(j, e.Progress)
		}
	case pool.Retry:
		if j := s.job(e.Worker, e.ID); j != nil {
			j.failed(e.Kind)
			s.counters.retried(j.op, e.Kind)
			j.owner.log(slog.LevelInfo, "attempt failed", "op", j.op, "offset", j.span.offset, "length", j.span.length,
				"attempt", e.Attempt, "wait", e.Wait, "worker", e.Worker.PID, "request", e.Request, "error", e.Cause)
		}
	case pool.Result:
		if j := s.job(e.Worker, e.ID); j != nil {
			delete(j.hand.jobs, j.id)
			if e.Err == nil {
				s.counters.wrote(j, e.Written)
				j.owner.log(slog.LevelDebug, "answered", "op", j.op, "offset", j.span.offset, "length", j.span.length,
					"worker", e.Worker.PID, "request", e.Request)
			}
			j.owner.result(j, e.Result)
		}
	}
}

func (s *scheduler) up(w *pool.Worker) {
	h := &hand{worker: w, jobs: map[uint64]*job{}}
	at, _ := slices.BinarySearchFunc(s.crew, w.Seat, func(h *hand, seat int) int { return h.worker.Seat - seat })
	s.crew = slices.Insert(s.crew, at, h)
	s.counters.workers.Add(1)
	if s.seats[w.Seat] {
		s.counters.restarts.Add(1)
	}
	s.seats[w.Seat] = true
	s.answerReady(nil)
}

func (s *scheduler) down(e pool.Down) {
	at := slices.IndexFunc(s.crew, func(h *hand) bool { return h.worker == e.Worker })
	h := s.crew[at]
	s.crew = slices.Delete(s.crew, at, at+1)
	s.counters.workers.Add(-1)
	unread := e.Worker.Unread()
	for _, j := range h.jobs {
		if slices.Contains(unread, j.id) {
			j.sent = false // it has not cost this worker its life
		}
		j.owner.lost(j, e.Err)
	}
}

// brokenDown fails all downloads: no worker comes up, and each seat has tried more
// than once. The next download lets them try again.
func (s *scheduler) brokenDown(err error) {
	if !isLost(err) {
		err = fmt.Errorf("%w: %w", failure.ErrWorkerLost, err)
	}
	err = fmt.Errorf("no worker could be started: %w", err)
	s.broken = err
	s.answerReady(err)
	for _, l := range slices.Clone(s.listings) {
		l.end(nil, err)
	}
	for _, t := range slices.Clone(s.active) {
		t.fail("start", err)
	}
	for f := s.waiting.pop(); f != nil; f = s.waiting.pop() {
		s.settle(f, Object{}, f.fail("start", err))
	}
}

func (s *scheduler) job(w *pool.Worker, id uint64) *job {
	for _, h := range s.crew {
		if h.worker == w {
			return h.jobs[id]
		}
	}
	return nil
}

// dispatch gives jobs to free slots until one of the two runs out.
func (s *scheduler) dispatch() {
	for {
		h := s.freeHand()
		if h == nil {
			break
		}
		j := s.nextJob()
		if j == nil {
			s.reclaim()
			break
		}
		s.lastJob++
		j.id, j.hand = s.lastJob, h
		h.jobs[j.id] = j
		j.owner.assign(j)
	}
	s.admit()
	if s.draining && !s.stopped && len(s.active) == 0 && s.waiting.live == 0 && s.walks == 0 {
		s.stopped = true
		s.pool.Stop()
		s.answerReady(ErrShutdown)
	}
}

// nextJob returns a listing, or the oldest transfer's next job.
func (s *scheduler) nextJob() *job {
	if len(s.listings) > 0 {
		return s.listings[0].next()
	}
	for _, t := range s.active {
		if j := t.next(); j != nil {
			return j
		}
	}
	return nil
}

// freeHand returns the worker with the fewest jobs and a free slot: of equal ones
// that of the lowest seat, whose connection is the likeliest to be warm.
func (s *scheduler) freeHand() *hand {
	var best *hand
	for _, h := range s.crew {
		if n := len(h.jobs); n < s.config.RequestsPerProcess && (best == nil || n < len(best.jobs)) {
			best = h
			if n == 0 {
				break
			}
		}
	}
	return best
}

// free returns how many slots are.
func (s *scheduler) free() (n int) {
	for _, h := range s.crew {
		n += s.config.RequestsPerProcess - len(h.jobs)
	}
	return n
}

// admit starts as many waiting downloads as free slots will soon ask for jobs.
func (s *scheduler) admit() {
	free := s.free()
	for _, t := range s.active {
		if t.checking() {
			free--
		}
	}
	for limit := 2 * s.config.MaxRequestProcesses * s.config.RequestsPerProcess; free > 0 && len(s.active) < limit; free-- {
		f := s.waiting.pop()
		if f == nil {
			return
		}
		s.active = append(s.active, newTransfer(s, f))
	}
}

// leave takes an ended transfer out of the active ones.
func (s *scheduler) leave(t *transfer) {
	if at := slices.Index(s.active, t); at >= 0 {
		s.active = slices.Delete(s.active, at, at+1)
	}
}
