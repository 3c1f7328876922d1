// Package pool keeps a fixed number of worker processes alive.
//
// A pool has seats. The goroutine of a seat owns one worker process at a time, from its start to
// its Wait, and fills the seat again when the worker is gone:
//
//	start -> Hello, Setup, Ready -> Up -> jobs ... -> Down -> start
//	   \___ failed: back off; after startTries, or a timeout, parked ___/
//
// A pool reports everything that happens as an event on one channel, which its owner reads. The
// pool knows processes, not transfers: the owner decides what becomes of the jobs of a worker that
// is gone.
//
// # What a worker may say
//
// A pool does not trust its workers. Jobs holds every message against the job that it is about: one
// that does not fit is a breach of the protocol, whatever the reason, and the worker is killed at
// once. Nothing that it sent acts on anything, and its other jobs are handed out again. So a worker
// can end the jobs in its hands, with an error or with bytes that do not verify, and no others.
//
// A worker is killed, too, if it leaves pings unanswered, or does not end a job after its Cancel.
// There is no limit on how long it may work on a job that is not canceled. An honest worker may be
// silent for as long as the provider of credentials takes, the disk blocks a write, or a slow
// connection takes over the next MiB; the pool cannot tell these from a worker that only answers
// pings. Dead connections are the worker's own business (StallTimeout); the rest is the caller's,
// whose Cancel takes effect whatever the worker does, and the owner's, which takes slow ranges back.
//
// Invariants:
//  1. All other events of a worker come between its Up and its Down.
//  2. Each job given to Worker.Job is answered by one Result, or by the worker's Down.
//  3. When Events is closed, no process and no goroutine of the pool is left.
package pool

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/fence"
	"github.com/s3processpool/processpool/internal/settings"
)

// Options say what to run and how many processes of it.
type Options struct {
	Processes   int
	Command     Command
	Settings    settings.Settings
	Credentials aws.CredentialsProvider // asked once for all workers; nil = requests are not signed
	Fence       *fence.Plan             // around each worker; nil = none
	Nice        int                     // added to each worker's niceness
	Logger      *slog.Logger
	Trace       io.Writer // what PROCESSPOOLDEBUG=ipc prints, see package ipc; nil = os.Stderr

	StartTimeout time.Duration // from a worker's start to its Ready; 0 = 30 s
	StopTimeout  time.Duration // from Stop to a worker's end, which is then killed; 0 = 10 s
	Heartbeat    time.Duration // between two pings to a worker that is silent; 0 = 5 s

	// CancelTimeout is how long a worker may take to end a job after its Cancel. Then it is killed.
	// 0 = 10 s.
	CancelTimeout time.Duration

	// ExitTimeout is how long a worker that has closed its socket may take to exit, and how long
	// the pool then waits for the end of its standard error, which a child of the worker may keep
	// open. 0 = 1 s.
	ExitTimeout time.Duration
}

// Pool is a set of seats.
type Pool struct {
	options Options
	events  chan Event
	vendor  *vendor
	trace   *tracer // nil = none
	stop    context.CancelFunc
	stopped context.Context // ends when Stop is called
	seats   sync.WaitGroup
	turns   turns

	mu struct {
		sync.Mutex
		open    int           // seats that were opened
		parked  int           // of them
		revived chan struct{} // closed by Revive
	}
}

// New makes a pool. It starts no process; Start does.
func New(o Options) *Pool {
	o.StartTimeout = cmp.Or(o.StartTimeout, 30*time.Second)
	o.StopTimeout = cmp.Or(o.StopTimeout, 10*time.Second)
	o.Heartbeat = cmp.Or(o.Heartbeat, 5*time.Second)
	o.CancelTimeout = cmp.Or(o.CancelTimeout, 10*time.Second)
	o.ExitTimeout = cmp.Or(o.ExitTimeout, time.Second)
	if o.Trace == nil {
		o.Trace = os.Stderr
	}
	p := &Pool{options: o, events: make(chan Event, 4*o.Processes), trace: newTracer(o.Trace), turns: newTurns(runtime.GOMAXPROCS(0))}
	p.stopped, p.stop = context.WithCancel(context.Background())
	p.vendor = newVendor(p.stopped, o.Credentials)
	p.mu.revived = make(chan struct{})
	return p
}

// Events returns the channel of all events. The owner must receive from it until it is closed, for
// a pool that cannot send an event stands still.
func (p *Pool) Events() <-chan Event { return p.events }

// Start readies the pool for Want. It must be called once.
func (p *Pool) Start() { p.announceFence() }

// Want opens seats, until n of them are open, and begins to fill those. It does not wait for workers.
// It must not be called after Stop, nor concurrently.
func (p *Pool) Want(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n = min(n, p.options.Processes); p.mu.open < n; p.mu.open++ {
		seat := p.mu.open
		p.seats.Go(func() { p.occupy(seat) })
	}
}

// Stop cancels all jobs and stops all workers. It does not wait: Events is closed when the last
// worker is gone. It must be called once.
func (p *Pool) Stop() {
	p.stop()
	go func() {
		p.seats.Wait()
		p.options.Fence.Forget()
		p.vendor.wait()
		close(p.events)
	}()
}

// Revive has parked seats try again. It may be called concurrently.
func (p *Pool) Revive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.parked = 0
	close(p.mu.revived)
	p.mu.revived = make(chan struct{})
}
