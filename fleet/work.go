package fleet

import (
	"context"
	"errors"
	"fmt"
	"iter"
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
	r.tell(context.WithoutCancel(ctx), w.id, report)
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
	began      time.Time

	settle   context.Context // of what is told to the server about messages
	moved    atomic.Int64    // counts signs of progress of any object
	settling sync.WaitGroup  // messages that are being acknowledged
	room     chan struct{}   // holds a token when there may be room

	mu struct {
		sync.Mutex
		held    map[*held]bool
		objects int // that have not ended
		tally   tally
		fault   error // ends the worker
		refused int   // in a row, before any success
		any     bool  // an object has succeeded
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
		run: r, id: nuid.Next(), o: o, downloader: d, ackWait: info.Config.AckWait, began: time.Now(), room: make(chan struct{}, 1),
	}
	w.mu.held = map[*held]bool{}
	return w, nil
}

// How long a worker without messages waits for one, before it looks whether the run has ended.
const (
	minIdle = time.Second / 4
	maxIdle = 4 * time.Second
)

// requests pulls messages as slots become free, until there is nothing more to do.
func (w *worker) requests(ctx context.Context) iter.Seq[processpool.Request] {
	return func(yield func(processpool.Request) bool) {
		idle, perMessage := minIdle, 1
		for {
			free, ok := w.wait(ctx)
			if !ok {
				return
			}
			messages, err := w.fetch(ctx, max(1, free/perMessage), idle)
			if err != nil {
				w.fail(err)
				return
			}
			for _, m := range messages {
				h := w.take(m)
				perMessage = max(1, len(h.tasks))
				for _, t := range h.tasks {
					if r, due := t.request(); due && !yield(r) {
						return
					}
				}
			}
			if len(messages) > 0 {
				idle = minIdle
				continue
			}
			idle = min(2*idle, maxIdle)
			if over, err := w.over(ctx); over || err != nil {
				w.fail(err)
				return
			}
		}
	}
}

// wait waits until a slot is free. It returns false when no more messages are wanted.
func (w *worker) wait(ctx context.Context) (free int, ok bool) {
	for {
		w.mu.Lock()
		free, fault := w.o.Slots-w.mu.objects, w.mu.fault
		w.mu.Unlock()
		select {
		case <-w.o.Drain:
			return 0, false
		default:
		}
		if ctx.Err() != nil || fault != nil {
			return 0, false
		}
		if free > 0 {
			return free, true
		}
		select {
		case <-w.room:
		case <-ctx.Done():
		case <-w.o.Drain:
		}
	}
}

// fetch returns up to n messages: those that are there, or else one that comes within wait. A server
// that is away is no error.
func (w *worker) fetch(ctx context.Context, n int, wait time.Duration) ([]jetstream.Msg, error) {
	batch, err := w.run.consumer.FetchNoWait(n)
	messages, err := all(batch, err)
	if len(messages) > 0 || err != nil && !transient(err) {
		return messages, missing(err, w.run.name)
	}
	if err != nil { // the server is away
		_ = pause(ctx, wait)
		return nil, nil
	}
	batch, err = w.run.consumer.Fetch(1, jetstream.FetchMaxWait(wait))
	if messages, err = all(batch, err); err != nil && transient(err) {
		_ = pause(ctx, wait)
		return nil, nil
	}
	return messages, missing(err, w.run.name)
}

// all returns the messages of a batch. An error that ends a batch with messages is met again by the
// next one.
func all(batch jetstream.MessageBatch, err error) (messages []jetstream.Msg, _ error) {
	if err != nil {
		return nil, err
	}
	for m := range batch.Messages() {
		messages = append(messages, m)
	}
	err = batch.Error()
	if len(messages) > 0 || errors.Is(err, jetstream.ErrNoMessages) {
		err = nil
	}
	return messages, err
}

// over reports whether the run has ended.
func (w *worker) over(ctx context.Context) (bool, error) {
	w.mu.Lock()
	busy := len(w.mu.held) > 0
	w.mu.Unlock()
	if busy {
		return false, nil
	}
	s, err := w.run.Status(ctx)
	switch {
	case err != nil && (transient(err) || ctx.Err() != nil):
		return false, nil
	case err != nil:
		return false, err
	}
	return s.Ended, nil
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

// fail ends the worker with its first error.
func (w *worker) fail(err error) {
	if err == nil {
		return
	}
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

// take decodes a message. One that cannot be read ends the worker: another version may read it.
func (w *worker) take(m jetstream.Msg) *held {
	h := &held{worker: w, message: m, extended: time.Now()}
	meta, err := m.Metadata()
	if err != nil {
		w.fail(err)
		return h
	}
	h.sequence, h.delivered = meta.Sequence.Stream, int(meta.NumDelivered)
	objects, err := decode(m.Data())
	if err != nil {
		w.fail(fmt.Errorf("run %s: message %d: %w", w.run.name, h.sequence, err))
		_ = m.Nak()
		return h
	}
	for i := range objects {
		h.tasks = append(h.tasks, &task{held: h, index: i, object: &objects[i]})
	}
	h.open = len(h.tasks)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.held[h] = true
	w.mu.objects += h.open
	return h
}
