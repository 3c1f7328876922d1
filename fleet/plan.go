package fleet

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/nats-io/nuid"
)

// Source is what a run downloads: objects in an order that does not change.
type Source interface {
	// Name tells the source from others. A run has one source.
	Name() string
	// Objects yields the objects behind a cursor that it has yielded; "": all of them.
	Objects(ctx context.Context, cursor string) iter.Seq2[Planned, error]
}

// Planned is an object of a Source, and the cursor behind it.
type Planned struct {
	Object Object
	Cursor string
	Skip   bool // nothing to download: the cursor alone counts
}

// Plan is what has been planned.
type Plan struct {
	Objects, Bytes int64
	Before         int64 // objects that earlier calls have planned
	Complete       bool
}

// An entry of the record has at most so much, which bounds the memory of the planner and the size of
// the record.
const (
	maxEntryMessages = 2 * maxPending
	maxEntryText     = 384 << 10
)

// ErrPlanner means that another program has taken over the plan.
var ErrPlanner = errors.New("another program plans the same run: let it, or stop it first")

// Plan adds the objects of a source to the queue, each exactly once. If it is interrupted, the next
// call goes on where it ended; a plan that is complete stays as it is. Its memory is bounded.
// progress, which may be nil, is told now and then.
func (r *Run) Plan(ctx context.Context, source Source, progress func(Plan)) (Plan, error) {
	l, err := r.ledger(ctx)
	if err != nil {
		return Plan{}, err
	}
	before := l.rec.Objects
	state := func() Plan {
		return Plan{Objects: l.rec.Objects, Bytes: l.rec.Bytes, Before: before, Complete: l.rec.Complete}
	}
	if l.rec.Source != "" && l.rec.Source != source.Name() {
		return state(), fmt.Errorf("run %s is of another source, %s, and not of %s: choose another name, or begin it anew (--fresh)",
			r.name, l.rec.Source, source.Name())
	}
	if l.rec.Complete {
		return state(), nil
	}
	p := &planner{ledger: l, owner: nuid.Next()}
	if err := p.commit(ctx, nil, func(rec *record) { rec.Source, rec.Owner = source.Name(), p.owner }); err != nil {
		return state(), err
	}
	p.cursor = l.rec.Cursor
	for planned, err := range source.Objects(ctx, p.cursor) {
		if err != nil {
			return state(), err
		}
		if !planned.Skip {
			err = p.add(p.batch.add(planned.Object))
		}
		if err != nil {
			return state(), err
		}
		p.cursor = planned.Cursor
		if p.full() {
			if err := p.flush(ctx); err != nil {
				return state(), err
			}
			if progress != nil {
				progress(state())
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return state(), err
	}
	if err := p.flush(ctx); err != nil {
		return state(), err
	}
	err = p.commit(ctx, nil, func(rec *record) { rec.Complete = true })
	return state(), err
}

// planner gathers an entry for the ledger.
type planner struct {
	*ledger
	owner    string
	batch    batcher
	cursor   string
	messages []outgoing
	objects  int64
	bytes    int64
	text     int
}

func (p *planner) full() bool {
	return len(p.messages) >= maxEntryMessages || p.text >= maxEntryText
}

// add adds messages to the entry.
func (p *planner) add(batches [][]Object) error {
	for _, objects := range batches {
		data, err := encode(objects)
		if err != nil {
			return err
		}
		p.messages = append(p.messages, outgoing{N: len(objects), Data: data, ID: idOf(objects, p.rec.end()+uint64(len(p.messages))+1)})
		p.objects += int64(len(objects))
		p.bytes += sizes(objects)
		p.text += len(data)
	}
	return nil
}

// flush publishes what was gathered, up to the cursor.
func (p *planner) flush(ctx context.Context) error {
	if err := p.add(p.batch.flush()); err != nil {
		return err
	}
	e := &entry{Messages: p.messages}
	if len(p.messages) == 0 {
		e = nil
	}
	err := p.commit(ctx, e, func(rec *record) {
		rec.Cursor = p.cursor
		rec.Objects += p.objects
		rec.Bytes += p.bytes
	})
	p.messages, p.objects, p.bytes, p.text = nil, 0, 0, 0
	return err
}

// commit appends to the ledger. A change of the record by others than planners is no conflict.
func (p *planner) commit(ctx context.Context, e *entry, change func(*record)) error {
	for {
		err := p.append(ctx, e, change)
		if !errors.Is(err, errConflict) {
			return err
		}
		owner := p.rec.Owner
		if err := p.reload(ctx); err != nil {
			return err
		}
		if p.rec.Owner != owner {
			return ErrPlanner
		}
	}
}
