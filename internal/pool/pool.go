// Package pool keeps a fixed number of worker processes alive.
//
// A pool has seats. A seat's goroutine owns one worker process at a time, from
// spawn to Wait, and fills the seat again when the worker is gone:
//
//	spawn -> Hello, Setup, Ready -> Up -> jobs ... -> Down -> spawn
//	   \___ failed: back-off, after startTries parked ___/
//
// Everything that happens is an event on one channel, read by one owner. The pool
// knows processes, not transfers: what a dead worker had in hand is the owner's
// to hand out again.
//
// Invariants:
//  1. Between Up and Down of a worker, and only there, its other events are sent.
//  2. Every job that Worker.Job took is answered by one Result or by the worker's Down.
//  3. When Events is closed no process of the pool is left, and no goroutine.
package pool

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/settings"
)

// Options say what to run and how many of it.
type Options struct {
	Processes   int
	Command     Command
	Settings    settings.Settings
	Credentials aws.CredentialsProvider // asked once for all workers; nil: none
	Logger      *slog.Logger

	StartTimeout time.Duration // from a worker's start to its Ready; 0 = 30 s
	StopTimeout  time.Duration // from Stop to a worker's end; 0 = 10 s
	Heartbeat    time.Duration // between two pings to a worker that says nothing; 0 = 5 s
}

// Worker is a worker process as the pool's owner drives it. Job and Cancel are for the owner alone,
// between the worker's Up and its Down.
type Worker interface {
	PID() int
	Seat() int
	// Job sends the job, with its open file where it carries one. It does not block.
	Job(job *ipc.Job, file *os.File)
	// Cancel asks the worker to end a job early.
	Cancel(id uint64)
	// Unread returns, after Down, the jobs that the worker has never seen: they have not cost it its life.
	Unread() []uint64
}

// Event is one of Up, Down, Broken, and a worker's words: Found, Progress, Retry,
// Result.
type Event any

type (
	// Up: a worker is ready for jobs.
	Up struct{ Worker Worker }
	// Down: a worker is gone, and its process reaped. Its jobs were not finished.
	Down struct {
		Worker Worker
		Err    error // is failure.ErrWorkerLost
	}
	// Broken: no seat could be filled. The pool waits for Revive.
	Broken struct{ Err error }

	Found struct {
		Worker Worker
		*ipc.Found
	}
	Progress struct {
		Worker Worker
		*ipc.Progress
	}
	Retry struct {
		Worker Worker
		*ipc.Retry
	}
	Result struct {
		Worker Worker
		*ipc.Result
	}
)

// How a seat goes about a worker that does not start.
const (
	startTries   = 3 // in a row, before the seat is parked
	firstBackoff = 50 * time.Millisecond
	parkedFor    = 5 * time.Second // while other seats do work
)

// Pool is a set of seats.
type Pool struct {
	options Options
	events  chan Event
	vendor  *vendor
	stop    context.CancelFunc
	stopped context.Context // ends when Stop is called
	seats   sync.WaitGroup

	mu struct {
		sync.Mutex
		parked  int
		revived chan struct{} // closed by Revive
	}
}

// New makes a pool of no process; Start fills it.
func New(o Options) *Pool {
	set := setDefaults()
	o.StartTimeout = cmp.Or(o.StartTimeout, set.StartTimeout, 30*time.Second)
	o.StopTimeout = cmp.Or(o.StopTimeout, set.StopTimeout, 10*time.Second)
	o.Heartbeat = cmp.Or(o.Heartbeat, set.Heartbeat, 5*time.Second)
	p := &Pool{options: o, events: make(chan Event, 4*o.Processes)}
	p.stopped, p.stop = context.WithCancel(context.Background())
	p.vendor = newVendor(p.stopped, o.Credentials)
	p.mu.revived = make(chan struct{})
	return p
}

// Events is where the pool's owner listens, without a pause, until it is closed.
func (p *Pool) Events() <-chan Event { return p.events }

// Start begins to fill every seat and returns at once.
func (p *Pool) Start() {
	for seat := range p.options.Processes {
		p.seats.Go(func() { p.occupy(seat) })
	}
}

// Stop asks each worker to end, and what it has in hand to be canceled, and closes
// Events when all have. It returns at once.
func (p *Pool) Stop() {
	p.stop()
	go func() {
		p.seats.Wait()
		p.vendor.wait()
		close(p.events)
	}()
}

// Revive lets parked seats try again.
func (p *Pool) Revive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.mu.revived)
	p.mu.revived = make(chan struct{})
}

// occupy fills one seat until the pool is stopped.
func (p *Pool) occupy(seat int) {
	for failed := 0; p.stopped.Err() == nil; {
		w, err := p.hire(seat)
		if err == nil {
			p.events <- Up{w}
			lost := w.work()
			p.events <- Down{w, lost}
			if p.stopped.Err() != nil {
				return
			}
			p.options.Logger.Warn("worker lost", "worker", w.pid, "error", lost)
			if w.proven() {
				failed = 0
				continue
			}
			err = lost // it died without cause before it did anything
		}
		if p.stopped.Err() != nil {
			return
		}
		p.options.Logger.Warn("worker did not start", "seat", seat, "error", err)
		if failed++; failed >= startTries {
			p.park(err)
			failed = 0
			continue
		}
		p.sleep(backoff(failed))
	}
}

// park keeps a seat empty: for a while, or until Revive when all are.
func (p *Pool) park(err error) {
	p.mu.Lock()
	p.mu.parked++
	broken, revived := p.mu.parked == p.options.Processes, p.mu.revived
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.mu.parked--
		p.mu.Unlock()
	}()
	if broken {
		p.events <- Broken{err}
		select {
		case <-revived:
		case <-p.stopped.Done():
		}
		return
	}
	timer := time.NewTimer(parkedFor)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-revived:
	case <-p.stopped.Done():
	}
}

func (p *Pool) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.stopped.Done():
	}
}

func backoff(failed int) time.Duration {
	d := firstBackoff << failed
	return d/2 + rand.N(d/2)
}
