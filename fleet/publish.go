package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	maxPending = 256              // messages that are sent and not yet confirmed
	patience   = 10 * time.Second // until a message that is not confirmed is looked up
)

// publish publishes the messages of the record's entry that are not in the stream. The server takes
// each only at its sequence: a second copy, of this planner or of one that was stopped, is refused.
// fresh says that none can be there yet.
func (l *ledger) publish(ctx context.Context, fresh bool) error {
	if l.rec.Entry == nil {
		return nil
	}
	messages, have := l.rec.Entry.Messages, l.rec.Last
	for {
		if !fresh {
			info, err := l.info(ctx)
			if err != nil {
				return err
			}
			have = info.State.LastSeq
		}
		fresh = false
		switch {
		case have < l.rec.Last:
			return l.lost(have)
		case have >= l.rec.end():
			return l.bury(ctx)
		}
		rest := messages[have-l.rec.Last:]
		if err := l.send(ctx, rest[:min(len(rest), maxPending)], have); err != nil {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !isConflict(err) && !transient(err) {
				return serverError(err)
			}
			if err := pause(ctx, time.Second/4); err != nil {
				return err
			}
			continue
		}
		have += uint64(min(len(rest), maxPending))
		fresh = true
	}
}

// lost returns the error of a stream that is shorter than the plan.
func (l *ledger) lost(have uint64) error {
	return fmt.Errorf("run %s: the server has lost messages: the plan has %d, and the stream has had %d: plan it anew (--fresh)",
		l.run.name, l.rec.Last, have)
}

func (l *ledger) info(ctx context.Context) (info *jetstream.StreamInfo, err error) {
	err = retry(ctx, func() error {
		info, err = l.run.work.Info(ctx)
		return err
	})
	if err != nil {
		return nil, missing(err, l.run.name)
	}
	return info, nil
}

// send publishes messages behind the sequence last, and waits until the server has them.
func (l *ledger) send(ctx context.Context, messages []outgoing, last uint64) error {
	var acks []jetstream.PubAckFuture
	var first error
	for i, m := range messages {
		ack, err := l.run.js.PublishMsgAsync(&nats.Msg{Subject: l.run.workSubject(m.N), Data: m.Data},
			jetstream.WithMsgID(m.ID), jetstream.WithExpectLastSequence(last+uint64(i)))
		if err != nil {
			first = err
			break
		}
		acks = append(acks, ack)
	}
	timeout := time.NewTimer(2 * patience)
	defer timeout.Stop()
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			if first == nil {
				first = err
			}
		case <-timeout.C:
			return nats.ErrTimeout
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return first
}

// bury removes what the entry puts back from the dead.
func (l *ledger) bury(ctx context.Context) error {
	for _, sequence := range l.rec.Entry.Dead {
		err := retry(ctx, func() error { return l.run.dead.DeleteMsg(ctx, sequence) })
		if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) && !isGone(err) {
			return serverError(err)
		}
	}
	return nil
}

// isGone reports whether a message could not be deleted because it is not there.
func isGone(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) || errors.As(err, &api) && api.Code == 404
}

// retry calls do until it succeeds, or fails with what another try does not heal: the server may be
// away for a while.
func retry(ctx context.Context, do func() error) error {
	for wait := time.Second / 8; ; wait = min(2*wait, 4*time.Second) {
		err := do()
		if err == nil || ctx.Err() != nil || !transient(err) {
			return err
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// transient reports whether an error is of a server that is away, restarts, or elects a leader.
func transient(err error) bool {
	for _, t := range []error{
		nats.ErrTimeout, nats.ErrNoResponders, nats.ErrDisconnected, nats.ErrConnectionReconnecting, context.DeadlineExceeded,
		nats.ErrReconnectBufExceeded, nats.ErrStaleConnection, jetstream.ErrServerShutdown, jetstream.ErrConsumerLeadershipChanged,
		jetstream.ErrAsyncPublishTimeout, jetstream.ErrNoStreamResponse, jetstream.ErrTooManyStalledMsgs,
	} {
		if errors.Is(err, t) {
			return true
		}
	}
	var api *jetstream.APIError
	return errors.As(err, &api) && api.Code == 503 && api.ErrorCode != jetstream.JSErrCodeJetStreamNotEnabled &&
		api.ErrorCode != jetstream.JSErrCodeJetStreamNotEnabledForAccount
}

// pause waits, or returns the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
