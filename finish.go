package processpool

import (
	"errors"
	"log/slog"
)

// How a transfer ends: by publication, or by its first error.

// errPrevented says that a cancel came before the rename.
var errPrevented = errors.New("canceled before the rename")

// finish puts the file in place.
func (t *transfer) finish(proved string) {
	t.stage = stageFinishing
	go func() {
		err := t.publish()
		t.notifier.stop()
		t.scheduler.do(func() { t.finished(proved, err) })
	}()
}

// publish runs outside the scheduler's goroutine: while the stage is finishing
// nobody else touches what it uses.
func (t *transfer) publish() (err error) {
	if t.temp == nil { // an empty object
		if t.temp, err = t.target.Create(0); err != nil {
			return t.future.fail("create", err)
		}
	}
	if t.partial == nil {
		defer t.temp.Discard()
	} else {
		defer func() { t.partial.End(err) }()
		if err := t.partial.Quiesce(); err != nil {
			return t.future.fail("sync", err)
		}
	}
	durable := t.scheduler.config.Durable
	if durable {
		if err := t.temp.Sync(); err != nil {
			return t.future.fail("sync", err)
		}
	}
	if !t.future.committed.CompareAndSwap(false, true) {
		return errPrevented
	}
	if err := t.temp.Publish(); err != nil {
		return t.future.fail("publish", err)
	}
	if durable {
		if err := t.temp.SyncDir(); err != nil {
			return t.future.fail("sync", err)
		}
	}
	return nil
}

func (t *transfer) finished(proved string, err error) {
	if err == errPrevented {
		err = t.outcome
	}
	o := Object{}
	if err == nil {
		o = Object{
			Size:         t.object.Size,
			ETag:         t.object.ETag,
			VersionId:    t.object.VersionID,
			LastModified: t.object.LastModified,
			Verified:     proved,
			Resumed:      t.resumed,
		}
	}
	t.settle(o, err)
}

// cancel ends the transfer unless its file is being put in place.
func (t *transfer) cancel(cause error) {
	if t.stage != stageFinishing {
		t.fail(t.stage.op(), cause)
		return
	}
	if t.future.committed.CompareAndSwap(false, true) {
		t.outcome = t.future.fail("publish", cause)
	}
}

// fail ends the transfer with its first error. Workers that are at it are told to
// leave off; the temporary file does not wait for them.
func (t *transfer) fail(op string, err error) {
	if t.stage == stageEnding || t.stage == stageFinishing {
		return
	}
	t.stage, t.outcome = stageEnding, t.future.fail(op, err)
	for _, j := range t.jobs {
		if j.sent {
			j.hand.worker.Cancel(j.id)
			t.noteUnfinished(j)
		}
	}
	if t.abandon != nil {
		t.abandon()
	}
	if !t.creating {
		t.clean()
	}
}

// clean removes the temporary file, or leaves a partial one, then settles.
func (t *transfer) clean() {
	temp, partial, outcome := t.temp, t.partial, t.outcome
	go func() {
		switch {
		case partial != nil:
			partial.End(outcome)
		case temp != nil:
			temp.Discard()
		}
		t.notifier.stop()
		t.scheduler.do(func() { t.settle(Object{}, t.outcome) })
	}()
}

func (t *transfer) settle(o Object, err error) {
	if err == nil {
		t.log(slog.LevelDebug, "downloaded", "file", t.future.meta.Filename, "bytes", o.Size, "verified", o.Verified)
	} else {
		t.log(slog.LevelDebug, "not downloaded", "file", t.future.meta.Filename, "error", err)
	}
	t.scheduler.leave(t)
	t.scheduler.settle(t.future, o, err)
}
