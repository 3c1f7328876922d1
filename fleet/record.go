package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

const recordKey = "record"

// record is what is known of a run: how far its plan is, and what is being added to the queue. It is
// one key, and changes by compare-and-set only.
type record struct {
	V        int    `json:"v"`
	Source   string `json:"source,omitempty"` // what is planned
	Owner    string `json:"owner,omitempty"`  // the planner
	Cursor   string `json:"cursor,omitempty"` // how far the source has been read
	Objects  int64  `json:"objects"`          // planned, up to Cursor
	Bytes    int64  `json:"bytes"`
	Complete bool   `json:"complete,omitempty"` // Cursor is the end

	// Last is the last sequence of the work stream before Entry.
	Last  uint64 `json:"last"`
	Entry *entry `json:"entry,omitempty"`
}

// entry is what is being added to the queue. It is written before its messages are: whoever finds
// it later publishes those that are missing, which the sequence of the stream tells.
type entry struct {
	Messages []outgoing `json:"messages"`
	Dead     []uint64   `json:"dead,omitempty"` // sequences of the dead stream to remove afterwards
}

// outgoing is a message with its number of objects, which is in its subject.
type outgoing struct {
	N    int             `json:"n"`
	ID   string          `json:"id"`
	Data json.RawMessage `json:"data"`
}

// end returns the last sequence of the work stream when the entry is published.
func (r *record) end() uint64 {
	if r.Entry == nil {
		return r.Last
	}
	return r.Last + uint64(len(r.Entry.Messages))
}

func (r record) encode() []byte {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // it has no value that JSON lacks
	}
	return text
}

// load returns the record, and its revision.
func (r *Run) load(ctx context.Context) (rec record, revision uint64, err error) {
	kve, err := r.kv.Get(ctx, recordKey)
	if err != nil {
		return rec, 0, err
	}
	if err := json.Unmarshal(kve.Value(), &rec); err != nil {
		return rec, 0, fmt.Errorf("run %s: its record cannot be read: %w", r.name, err)
	}
	if rec.V != Version {
		return rec, 0, fmt.Errorf("run %s: %w: it has version %d, and this program knows version %d", r.name, errVersion, rec.V, Version)
	}
	return rec, kve.Revision(), nil
}

// ledger adds to the queue, each message exactly once, whatever dies in between.
type ledger struct {
	run      *Run
	rec      record
	revision uint64
}

// errConflict means that another program has changed the record.
var errConflict = errors.New("another program has changed the run meanwhile")

// ledger loads the record, and publishes what the last writer has left unpublished.
func (r *Run) ledger(ctx context.Context) (*ledger, error) {
	l := &ledger{run: r}
	return l, l.reload(ctx)
}

func (l *ledger) reload(ctx context.Context) error {
	err := retry(ctx, func() (err error) {
		l.rec, l.revision, err = l.run.load(ctx)
		return err
	})
	if err != nil {
		return missing(err, l.run.name)
	}
	return l.publish(ctx, false)
}

// append changes the record, and publishes the messages of e, which may be nil.
func (l *ledger) append(ctx context.Context, e *entry, change func(*record)) error {
	next := l.rec
	next.Last, next.Entry = l.rec.end(), e
	change(&next)
	text := next.encode()
	err := retry(ctx, func() error {
		revision, err := l.run.kv.Update(ctx, recordKey, text, l.revision)
		if err == nil {
			l.rec, l.revision = next, revision
			return nil
		}
		if !isConflict(err) {
			return err
		}
		// An update whose answer was lost conflicts with itself when it is made again.
		kve, getErr := l.run.kv.Get(ctx, recordKey)
		if getErr != nil {
			return getErr
		}
		if string(kve.Value()) != string(text) {
			return errConflict
		}
		l.rec, l.revision = next, kve.Revision()
		return nil
	})
	if err != nil {
		return err
	}
	return l.publish(ctx, true)
}

func isConflict(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, jetstream.ErrKeyExists) ||
		errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}
