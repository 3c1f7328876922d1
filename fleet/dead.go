package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/s3processpool/processpool"
)

// Dead is an object that could not be downloaded.
type Dead struct {
	V         int       `json:"v"`
	Object    Object    `json:"object"`
	Error     string    `json:"error"`
	Op        string    `json:"op,omitempty"` // the step, as of processpool.TransferError
	Code      string    `json:"code,omitempty"`
	Status    int       `json:"status,omitempty"` // of HTTP
	RequestID string    `json:"requestId,omitempty"`
	HostID    string    `json:"hostId,omitempty"`
	Delivered int       `json:"delivered"` // how often its message was
	Node      string    `json:"node"`
	At        time.Time `json:"at"`

	sequence uint64 // in the dead stream
}

func newDead(t *task, node string) Dead {
	d := Dead{
		V: Version, Object: *t.object, Error: t.err.Error(), Delivered: t.held.delivered, Node: node, At: time.Now().UTC(),
	}
	var transfer *processpool.TransferError
	if errors.As(t.err, &transfer) {
		d.Op, d.Error = transfer.Op, fmt.Sprint(transfer.Err)
	}
	var api smithy.APIError
	if errors.As(t.err, &api) {
		d.Code = api.ErrorCode()
	}
	var response *awshttp.ResponseError
	if errors.As(t.err, &response) {
		d.Status, d.RequestID = response.HTTPStatusCode(), response.ServiceRequestID()
		if response.Response != nil && response.Response.Response != nil {
			d.HostID = response.Response.Header.Get("X-Amz-Id-2")
		}
	}
	const maxError = 8 << 10
	d.Error = d.Error[:min(len(d.Error), maxError)]
	return d
}

func (d Dead) encode() []byte {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // it has no value that JSON lacks
	}
	return text
}

// Dead calls do for each object that could not be downloaded, in the order in which they failed, until
// do returns false.
func (r *Run) Dead(ctx context.Context, do func(Dead) bool) error {
	for next := uint64(1); ; {
		m, err := r.dead.GetMsg(ctx, next, jetstream.WithGetMsgSubject(subject(r.name, "dead.*.*")))
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			return nil
		case err != nil:
			return missing(err, r.name)
		}
		next = m.Sequence + 1
		var d Dead
		if err := json.Unmarshal(m.Data, &d); err != nil {
			return fmt.Errorf("run %s: dead %s: %w", r.name, m.Subject, err)
		}
		if d.V != Version {
			return fmt.Errorf("run %s: %w: dead %s has version %d", r.name, errVersion, m.Subject, d.V)
		}
		d.sequence = m.Sequence
		if !do(d) {
			return nil
		}
	}
}

// Requeue puts the dead back into the queue, and returns how many. keep, which may be nil, says of an
// object that it stays dead.
func (r *Run) Requeue(ctx context.Context, keep func(Dead) bool) (n int, err error) {
	for {
		l, err := r.ledger(ctx)
		if err != nil {
			return n, err
		}
		e, text := &entry{}, 0
		err = r.Dead(ctx, func(d Dead) bool {
			if keep != nil && keep(d) {
				return true
			}
			var data json.RawMessage
			if data, err = encode([]Object{d.Object}); err != nil {
				return false
			}
			id := idOf([]Object{d.Object}, l.rec.end()+uint64(len(e.Messages))+1)
			e.Messages = append(e.Messages, outgoing{N: 1, ID: id, Data: data})
			e.Dead = append(e.Dead, d.sequence)
			text += len(data)
			return len(e.Messages) < maxEntryMessages && text < maxEntryText
		})
		if err != nil || len(e.Messages) == 0 {
			return n, err
		}
		switch err := l.append(ctx, e, func(*record) {}); {
		case errors.Is(err, errConflict):
		case err != nil:
			return n, err
		default:
			n += len(e.Messages)
		}
	}
}
