package fleet

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/s3processpool/processpool"
)

// How long a worker without messages waits for one, before it looks whether the run has ended.
const (
	minIdle = time.Second / 4
	maxIdle = 2 * time.Second
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
			switch over, err := w.over(ctx); {
			case err != nil:
				w.fail(err)
				return
			case over:
				w.sweep(ctx)
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
