package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/s3processpool/processpool"
)

// held is a message that a worker holds.
type held struct {
	worker    *worker
	message   jetstream.Msg
	sequence  uint64
	delivered int // how often, this time included
	tasks     []*task
	open      int         // tasks that have not ended; guarded by worker.mu
	moved     atomic.Bool // something came since the last sign to the server
	extended  time.Time   // the last sign; guarded by worker.mu
	late      bool        // a sign came too late; guarded by worker.mu
}

// beat tells the server of messages that make progress, and everybody of the worker, until ctx ends.
func (w *worker) beat(ctx context.Context) {
	extend := time.NewTicker(w.ackWait / 3)
	defer extend.Stop()
	tell := time.NewTicker(2 * time.Second)
	defer tell.Stop()
	seen := int64(-1)
	for {
		select {
		case <-ctx.Done():
			return
		case <-extend.C:
			moved := w.moved.Load()
			w.extend(moved != seen)
			seen = moved
		case <-tell.C:
			w.run.tell(ctx, w.id, w.report())
		}
	}
}

// extend tells the server of each message that makes progress: whose bytes come, that is being
// verified and synced, or that waits for others whose bytes come.
func (w *worker) extend(anything bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for h := range w.mu.held {
		h.late = h.lapsed() // a later sign brings no message back
		if h.moved.Swap(false) || h.open == 0 || h.finishing() || anything && h.waiting() {
			if h.message.InProgress() == nil {
				h.extended = time.Now()
			}
		}
	}
}

// waiting reports whether none of its downloads has begun.
func (h *held) waiting() bool {
	for _, t := range h.tasks {
		if t.begun.Load() {
			return false
		}
	}
	return true
}

// finishing reports whether an object has all its bytes, and may still be read back and synced: for
// as long as a slow disk takes.
func (h *held) finishing() bool {
	for _, t := range h.tasks {
		if full := t.full.Load(); full != 0 {
			limit := 2*h.worker.ackWait + time.Duration(t.bytes.Load()/(8<<20))*time.Second
			if time.Since(time.Unix(0, full)) < limit {
				return true
			}
		}
	}
	return false
}

// lapsed reports whether the server may have given the message to another worker: this process may
// have been stopped for a while. w.mu must be locked.
func (h *held) lapsed() bool { return h.late || time.Since(h.extended) >= h.worker.ackWait }

// settle tells the server what has become of a message whose downloads have ended.
func (h *held) settle() {
	w := h.worker
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.mu.held, h)
		w.wake()
	}()
	var dead []*task
	var again error // why the message is to be delivered again
	w.mu.Lock()
	lapsed, ending := h.lapsed(), false
	for _, t := range h.tasks {
		k := w.verdict(t.err)
		if k == good {
			continue
		}
		dead = append(dead, t)
		if k == later {
			again = t.err
			ending = ending || errors.Is(t.err, processpool.ErrCanceled) || ofNode(t.err)
		}
	}
	w.mu.Unlock()
	switch {
	case ending || again != nil && h.delivered < w.o.MaxDeliver:
		h.giveBack(again, ending)
		return
	case len(dead) > 0 && lapsed:
		w.o.Logger.Warn("a message was held too long: another worker has it", "message", h.sequence)
		return
	}
	err := h.bury(w.settle, dead)
	if err == nil {
		err = h.ack(w.settle)
	}
	if err != nil {
		w.fail(err)
		return
	}
	w.count(h, len(dead))
	w.leftovers.note(h)
}

// giveBack has the message delivered again: at once if this worker ends, else after a pause that
// grows.
func (h *held) giveBack(err error, atOnce bool) {
	if atOnce {
		_ = h.message.Nak()
		return
	}
	h.worker.o.Logger.Warn("a download is tried again later", "message", h.sequence, "delivered", h.delivered, "err", err)
	_ = h.message.NakWithDelay(min(time.Second<<min(h.delivered-1, 6), time.Minute))
}

// bury publishes the objects that failed. Those that an earlier delivery has left do not count.
func (h *held) bury(ctx context.Context, dead []*task) error {
	r := h.worker.run
	if h.delivered > 1 {
		err := retry(ctx, func() error {
			return r.dead.Purge(ctx, jetstream.WithPurgeSubject(subject(r.name, fmt.Sprintf("dead.%d.*", h.sequence))))
		})
		if err != nil {
			return serverError(err)
		}
	}
	for _, t := range dead {
		data := newDead(t, h.worker.o.Node).encode()
		err := retry(ctx, func() error {
			_, err := r.js.Publish(ctx, r.deadSubject(h.sequence, t.index), data)
			return err
		})
		if err != nil {
			return serverError(err)
		}
		h.worker.o.Logger.Error("an object is dead", "bucket", t.object.Bucket, "key", t.object.Key, "err", t.err)
	}
	return nil
}

// ack acknowledges the message, until the server has confirmed it.
func (h *held) ack(ctx context.Context) error {
	err := retry(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return h.message.DoubleAck(ctx)
	})
	if errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
		return nil
	}
	return err
}
