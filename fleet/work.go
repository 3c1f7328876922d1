package fleet

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/s3processpool/processpool"
)

// WorkOptions are what Work is given. Dir and Slots are required.
type WorkOptions struct {
	// Dir is where the files go.
	Dir string
	// Slots is how many objects are under way at a time: as many as the Downloader makes requests.
	Slots int
	// Node names this machine in the status. Default: its host name.
	Node string
	// MaxDeliver is how often a message is delivered before what it still lacks goes to the dead.
	// Default 10.
	MaxDeliver int
	// Drain has Work take no new messages once it is closed, and return when those under way have
	// ended. nil: never.
	Drain <-chan struct{}
	// Logger is told of what goes wrong. Default: nothing is logged.
	Logger *slog.Logger
}

// Work downloads what the queue has, until the run has ended, Drain is closed, or something is wrong
// with this machine, such as a full disk: then it returns an error that is a *NodeError. The end of ctx
// cancels what is under way and gives it back at once.
//
// Each file is on stable storage when its message is acknowledged.
func (r *Run) Work(ctx context.Context, d *processpool.Downloader, o WorkOptions) (Report, error) {
	w, err := r.newWorker(ctx, d, o)
	if err != nil {
		return Report{}, err
	}
	beats := make(chan struct{})
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	// What is ready is told to the server, but a server that is away does not hold up the end.
	w.settle = background
	defer context.AfterFunc(ctx, func() {
		_ = pause(background, patience/2)
		stop()
	})()
	r.tell(ctx, w.id, w.report()) // before it can leave anything: see lost
	go func() {
		defer close(beats)
		w.beat(background)
	}()
	for f := range d.DownloadAll(ctx, w.requests(ctx)) {
		f.Meta().UserContext.(*task).end(f)
	}
	w.abandon()
	w.settling.Wait()
	stop()
	<-beats
	report := w.report()
	report.Ended = true
	if r.js.Conn().IsConnected() { // who is asked to end does not wait for a server that is away
		r.tell(context.WithoutCancel(ctx), w.id, report)
		w.flush()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return report, w.mu.fault
}

// NodeError means that a worker has ended because of its machine. Other workers go on.
type NodeError struct{ Err error }

func (e *NodeError) Error() string { return "this worker ends, others go on: " + e.Err.Error() }
func (e *NodeError) Unwrap() error { return e.Err }

// worker is a Work under way.
type worker struct {
	run        *Run
	id         string
	o          WorkOptions
	downloader *processpool.Downloader
	ackWait    time.Duration

	settle   context.Context // of what is told to the server about messages
	moved    atomic.Int64    // counts signs of progress of any object
	settling sync.WaitGroup  // messages that are being acknowledged
	room     chan struct{}   // holds a token when there may be room

	leftovers leftovers

	mu struct {
		sync.Mutex
		held    map[*held]bool
		objects int // that have not ended
		tally   tally
		pace    pace
		fault   error           // ends the worker
		refused int             // in a row, before any success
		any     bool            // an object has succeeded
		busy    map[string]bool // files whose partial file another process has
	}
}

func (r *Run) newWorker(ctx context.Context, d *processpool.Downloader, o WorkOptions) (*worker, error) {
	if o.Dir == "" || o.Slots < 1 {
		return nil, errors.New("fleet: Work needs a directory and at least one slot")
	}
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return nil, err
	}
	if o.MaxDeliver == 0 {
		o.MaxDeliver = 10
	}
	if o.Node == "" {
		o.Node, _ = os.Hostname()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var info *jetstream.ConsumerInfo
	err := retry(ctx, func() (err error) {
		info, err = r.consumer.Info(ctx)
		return err
	})
	if err != nil {
		return nil, missing(err, r.name)
	}
	w := &worker{
		run: r, id: nuid.Next(), o: o, downloader: d, ackWait: info.Config.AckWait, room: make(chan struct{}, 1),
	}
	w.mu.pace.at = time.Now()
	w.mu.held, w.mu.busy = map[*held]bool{}, map[string]bool{}
	return w, nil
}

// abandon gives back messages with downloads that were never begun, since ctx has ended.
func (w *worker) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for h := range w.mu.held {
		if h.open > 0 {
			_ = h.message.Nak()
		}
	}
}

// flush waits until the server has been told what is to be delivered again.
func (w *worker) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), patience/2)
	defer cancel()
	_ = w.run.js.Conn().FlushWithContext(ctx)
}

// fail ends the worker with its first error.
func (w *worker) fail(err error) {
	if err == nil {
		return
	}
	err = serverError(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.fault == nil {
		w.mu.fault = err
		w.o.Logger.Error("the worker ends", "err", err)
	}
	w.wake()
}

func (w *worker) wake() {
	select {
	case w.room <- struct{}{}:
	default:
	}
}
