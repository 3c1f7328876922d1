package transfer

import (
	"errors"
	"slices"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/partial"
)

// errPrevented says that a cancel came before the rename.
var errPrevented = errors.New("canceled before the rename")

// finish puts the file in place.
func (t *transfer) finish(proved string) {
	t.to(stageFinishing)
	p := publication{download: t.download, temp: t.temp, partial: t.partial, durable: t.request.Durable}
	if t.request.KeepModTime {
		p.modified = t.object.LastModified.Truncate(time.Second) // servers may list more than headers tell
	}
	notifier, told := t.notifier, t.loop.Told()
	t.help(func() func() {
		op, err := p.run()
		notifier.stop()
		told()
		return func() { t.finished(proved, op, err) }
	})
}

// publication is the last step of a transfer, in a goroutine of its own, which owns its files
// meanwhile.
type publication struct {
	download *Download
	temp     file
	partial  *partial.File // nil: the download is not to be resumed
	durable  bool
	modified time.Time // of the file; zero: when it was written
}

// run returns the step that failed with its error.
func (p publication) run() (op string, err error) {
	if p.partial == nil {
		defer p.temp.Discard()
	} else {
		defer func() { p.partial.End(err) }()
		if err := p.partial.Quiesce(); err != nil {
			return failure.OpSync, err
		}
	}
	if !p.modified.IsZero() {
		if err := p.temp.SetModTime(p.modified); err != nil { // before the sync, which is for it too
			return failure.OpChtimes, err
		}
	}
	if p.durable {
		if err := p.temp.Sync(); err != nil {
			return failure.OpSync, err
		}
	}
	// A cancel takes effect meanwhile, and sets committed.
	if err := p.temp.Seal(p.download.committed.Load); err != nil && !p.download.committed.Load() {
		return failure.OpPublish, err
	}
	if !p.download.committed.CompareAndSwap(false, true) {
		return failure.OpPublish, errPrevented
	}
	if err := p.temp.Publish(); err != nil {
		return failure.OpPublish, err
	}
	if p.durable {
		if err := p.temp.SyncDir(); err != nil {
			return failure.OpSync, err
		}
	}
	return "", nil
}

func (t *transfer) finished(proved, op string, err error) {
	switch {
	case err == errPrevented:
	case err != nil:
		t.first = t.download.owner.Wrap(op, err)
	default:
		t.end(Object{
			Size:         t.object.Size,
			ETag:         t.object.ETag,
			VersionId:    t.object.VersionID,
			LastModified: t.object.LastModified,
			Verified:     proved,
			Resumed:      t.resumed,
			Direct:       min(t.direct.bytes, t.plan.length()), // parts may have been fetched twice
			Details:      t.object.Details,
		})
		return
	}
	t.end(Object{})
}

// Cancel implements dispatch.Task: it ends the transfer unless its file is being put in place.
func (t *transfer) Cancel(cause error) {
	if t.stage != stageFinishing {
		t.fail(t.stage.op(), cause)
		return
	}
	if t.download.committed.CompareAndSwap(false, true) {
		t.first = t.download.owner.Wrap(failure.OpPublish, cause)
	}
}

// Abort implements dispatch.Task.
func (t *transfer) Abort(op string, err error) { t.fail(op, err) }

// fail ends the transfer with its first error, unless it is too late. The temporary file is removed
// at once; it does not wait for the workers that write to it.
func (t *transfer) fail(op string, err error) {
	if t.stage.over() {
		return
	}
	t.giveUp(op, err)
	if t.stage.helped() {
		t.to(stageAbandoning)
		return
	}
	t.clean()
}

// giveUp notes the first error, and tells workers and helpers to stop.
func (t *transfer) giveUp(op string, err error) {
	t.first = t.download.owner.Wrap(op, err)
	for _, w := range t.works {
		w.Abandon(err)
		if w.Sent() {
			t.noteUnfinished(w)
		}
	}
	if t.abandon != nil {
		t.abandon()
	}
}

// clean removes the temporary file, or leaves a partial one, and ends the transfer. A worker may
// write to a file that is removed, but a caller may use his own again as soon as the transfer ends.
func (t *transfer) clean() {
	if t.request.File != nil && t.writing() {
		t.to(stageDraining)
		return
	}
	t.to(stageCleaning)
	temp, partial, notifier, told, outcome := t.temp, t.partial, t.notifier, t.loop.Told(), t.first
	t.help(func() func() {
		switch {
		case partial != nil:
			partial.End(outcome)
		case temp != nil:
			temp.Discard()
		}
		notifier.stop()
		told()
		return func() { t.end(Object{}) }
	})
}

// writing reports whether a worker has the file.
func (t *transfer) writing() bool {
	return slices.ContainsFunc(t.works, func(w *work) bool { return w.Op == ipc.OpGet || w.Op == ipc.OpRead })
}

// drained cleans when the last worker has let go of the caller's file.
func (t *transfer) drained() {
	if t.stage == stageDraining && !t.writing() {
		t.clean()
	}
}

// end sets the download's outcome: the first error, or the object.
func (t *transfer) end(o Object) {
	t.to(stageEnded)
	if t.first == nil {
		t.logger.Debug("downloaded", "file", t.request.Filename, "bytes", o.Size, "direct", o.Direct, "verified", o.Verified)
	} else {
		t.logger.Debug("not downloaded", "file", t.request.Filename, "error", t.first)
	}
	t.loop.End(t.download)
	t.download.end(o, t.first)
}

// discard removes the temporary file, and goes on with the stage next.
func (t *transfer) discard(next stage) {
	temp := t.temp
	t.temp = nil
	t.to(stageDiscarding)
	t.help(func() func() {
		temp.Discard()
		return func() { t.discarded(next) }
	})
}

func (t *transfer) discarded(next stage) {
	if t.stage == stageAbandoning {
		t.clean()
		return
	}
	t.to(next)
}
