// Package fakecrew is a crew without processes, for tests of the loop and of what it drives. The
// test says what the workers say.
package fakecrew

import (
	"errors"
	"os"
	"slices"
	"sync"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/pool"
)

// Crew is a crew whose workers come and go as the test says. Its fields are written by the loop's
// goroutine: read them after Loop.Do has returned.
type Crew struct {
	Started, Stopped bool
	Revived          int
	Wanted           int

	events chan pool.Event
}

// New returns a crew of no worker.
func New() *Crew { return &Crew{events: make(chan pool.Event)} }

func (c *Crew) Start()                    { c.Started = true }
func (c *Crew) Want(n int)                { c.Wanted = n }
func (c *Crew) Revive()                   { c.Revived++ }
func (c *Crew) Events() <-chan pool.Event { return c.events }

// Stop ends the crew at once.
func (c *Crew) Stop() {
	c.Stopped = true
	close(c.events)
}

// Send has the loop receive an event. It returns when the loop has the event, not when it has
// handled it: Loop.Do is behind it.
func (c *Crew) Send(e pool.Event) { c.events <- e }

// Up lets a worker come up in a seat.
func (c *Crew) Up(seat int) *Worker {
	w := &Worker{crew: c, seat: seat, given: pool.Jobs{Attempts: true}}
	c.Send(pool.Up{Worker: w})
	return w
}

// ErrKilled is why a worker of this package goes down.
var ErrKilled = errors.Join(failure.ErrWorkerLost, errors.New("killed"))

// Worker is a worker whose part the test plays.
type Worker struct {
	Jobs     []*ipc.Job // not answered, in the order they came
	Canceled []uint64   // ids
	Recalled []uint64   // ids
	Rate     int64      // as the last RateLimit has it
	Buckets  []string   // to connect to

	crew   *Crew
	seat   int
	unread []uint64
	given  pool.Jobs
	mu     sync.Mutex // of Jobs, in Job, Has and Say
}

func (w *Worker) PID() int         { return 1000 + w.seat }
func (w *Worker) Seat() int        { return w.seat }
func (w *Worker) Unread() []uint64 { return w.unread }

func (w *Worker) Job(job *ipc.Job, _ *os.File) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Jobs = append(w.Jobs, job)
	w.given.Give(job)
}

func (w *Worker) Direct(*ipc.Direct, *os.File) {}
func (w *Worker) RateLimit(n int64)            { w.Rate = n }
func (w *Worker) Connect(bucket string)        { w.Buckets = append(w.Buckets, bucket) }

func (w *Worker) Cancel(id uint64) {
	w.Canceled = append(w.Canceled, id)
	w.given.Cancel(id)
}

func (w *Worker) Recall(id uint64) {
	w.Recalled = append(w.Recalled, id)
	w.given.Recall(id)
}

// Down lets the worker die. unread are the jobs that it has never seen.
func (w *Worker) Down(unread ...uint64) {
	w.unread = unread
	w.crew.Send(pool.Down{Worker: w, Err: ErrKilled})
}

// Found, Progress, Retry, Attempt and Answer say a word of the worker.
func (w *Worker) Found(f *ipc.Found)       { w.crew.Send(pool.Found{Worker: w, Found: f}) }
func (w *Worker) Progress(p *ipc.Progress) { w.crew.Send(pool.Progress{Worker: w, Progress: p}) }
func (w *Worker) Retry(r *ipc.Retry)       { w.crew.Send(pool.Retry{Worker: w, Retry: r}) }
func (w *Worker) Attempt(a *ipc.Attempt)   { w.crew.Send(pool.Attempt{Worker: w, Attempt: a}) }

// Answer ends the oldest job with r, whose ID it sets.
func (w *Worker) Answer(r *ipc.Result) {
	r.ID = w.Jobs[0].ID
	w.Jobs = w.Jobs[1:]
	w.crew.Send(pool.Result{Worker: w, Result: r})
}

// Has returns the jobs that are not answered, in the order they came. Unlike Jobs, it may be called
// while the loop hands out jobs.
func (w *Worker) Has() []*ipc.Job {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.Jobs)
}

// Say says any word of the worker about a job, as a process of the pool would: it is held against
// the job first. The error is the pool's, after which the worker is down.
func (w *Worker) Say(id uint64, m ipc.Message) error {
	heard, err := w.given.Hear(id, m)
	if err != nil {
		w.Down()
		return err
	}
	if _, last := heard.(*ipc.Result); last {
		w.mu.Lock()
		w.Jobs = slices.DeleteFunc(w.Jobs, func(j *ipc.Job) bool { return j.ID == id })
		w.mu.Unlock()
	}
	if heard != nil {
		w.crew.Send(pool.EventOf(w, heard))
	}
	return nil
}
