package transfer

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// Ready implements dispatch.Task.
func (t *transfer) Ready() int {
	switch t.stage {
	case stageSizing, stageInspecting, stageProbing, stageProving:
		if len(t.works) == 0 {
			return 1
		}
	case stageFetching:
		return len(t.reads) + t.spans.count()
	case stageCreating:
		if t.plan.confirmed {
			return t.spans.count()
		}
	}
	return 0
}

// brief is the most bytes of an object that is likely to arrive in some milliseconds.
const brief = 1 << 20

// Brief implements dispatch.Task.
func (t *transfer) Brief() bool {
	switch t.stage {
	case stageSizing, stageInspecting:
		return true
	case stageProbing, stageFetching:
		n := t.plan.length() // unknown: likely to be small
		return n == ipc.SizeUnknown || n <= min(brief, t.plan.chunk) && len(t.reads) == 0
	}
	return false
}

// ask returns a job that is a question about the object.
func (t *transfer) ask(m *ipc.Job) *dispatch.Job {
	t.address(m)
	w := &work{Job: dispatch.Job{Op: m.Op(), Message: m, Transfer: t.request.ID, Tried: t.tried}}
	t.works = append(t.works, w)
	return &w.Job
}

// fetch returns a job for the next span, or nil if there is none. The first one waits, with its
// slot, for the temporary file.
func (t *transfer) fetch() *dispatch.Job {
	s, ok := t.spans.take()
	if !ok {
		return nil
	}
	w := &work{Job: dispatch.Job{Op: ipc.OpGet, Offset: s.offset, Length: s.length, Transfer: t.request.ID, Tried: s.tried}, span: s}
	t.works = append(t.works, w)
	if t.temp == nil {
		t.create(w)
		return &w.Job
	}
	w.Message, w.File = t.get(w), t.temp.File()
	return &w.Job
}

// create makes the temporary file.
func (t *transfer) create(first *work) {
	next := t.stage
	t.to(stageCreating)
	dest, size := t.dest, t.plan.length()
	t.help(func() func() {
		file, err := dest.create(size)
		return func() { t.created(first, next, file, err) }
	})
}

// created goes on with the stage next, and sends the job that has waited for the file.
func (t *transfer) created(first *work, next stage, temp file, err error) {
	t.temp = temp
	waits := slices.Contains(t.works, first) // or its worker was lost meanwhile
	if waits && (err != nil || t.stage == stageAbandoning) {
		t.take(&first.Job)
		first.Withdraw()
	}
	switch {
	case t.stage == stageAbandoning:
		t.clean()
	case err != nil:
		t.giveUp(failure.OpCreate, err)
		t.clean()
	default:
		t.to(next)
		if waits {
			first.Send(t.get(first), temp.File())
		}
	}
}

// get makes the message of a job that fetches a span.
func (t *transfer) get(w *work) *ipc.Job {
	p := &t.plan
	m := &ipc.Get{
		ETag:        cmp.Or(t.object.ETag, t.request.IfMatch),
		Size:        p.size,
		Offset:      w.span.offset,
		Length:      w.span.length,
		Base:        p.first,
		Whole:       p.whole && w.span.length == p.size,
		Unconfirmed: !p.confirmed,
		Expected:    p.expected,
		Choose:      t.request.Verify != VerifyOff && !p.partial(),
		OneRange:    p.oneRange(),
		EachWrite:   w.span.lost > 0,
		WriteBack:   t.request.Durable,
	}
	if !p.confirmed && t.object.ETag == "" {
		m.IfNoneMatch = t.request.IfNoneMatch
	}
	if p.end == ipc.SizeUnknown {
		m.Length, m.Whole, m.Limit = ipc.SizeUnknown, true, t.request.Limit
	}
	if t.ledger != nil {
		m.Checksum = t.ledger.Algorithm()
	}
	if !m.EachWrite && m.Length >= leastDirect {
		w.Direct, m.Align = t.past()
	}
	if t.partial != nil {
		m.Record = t.partial.Algorithm
	}
	w.also = t.demands.Of(w.span.offset, w.span.length)
	m.Also = w.also
	job := &ipc.Job{Get: m}
	t.address(job)
	return job
}

// address writes on a message what it is about.
func (t *transfer) address(m *ipc.Job) {
	m.Bucket, m.Key, m.Args = t.request.Bucket, t.request.Key, t.request.Args
	m.NoETag = t.request.Verify == VerifyChecksums
	if t.request.Verify != VerifyOff {
		m.Args.ChecksumMode = string(types.ChecksumModeEnabled)
	}
}

// Found implements dispatch.Task.
func (t *transfer) Found(_ *dispatch.Job, f *ipc.Found) { t.found(f) }

// Retry implements dispatch.Task.
func (t *transfer) Retry(*dispatch.Job, *ipc.Retry) {}

// Progress implements dispatch.Task. What a worker says of a job after the transfer's end changes
// nothing: it had not heard of the end.
func (t *transfer) Progress(*dispatch.Job, *ipc.Progress) {
	if t.stage == stageProbing || t.stage == stageFetching {
		t.report()
	}
}

// Result implements dispatch.Task.
func (t *transfer) Result(j *dispatch.Job, r *ipc.Result) {
	if g := r.Get; r.Err == nil && g != nil && !g.Unsuited {
		t.found(&ipc.Found{Object: g.Object, Chosen: g.Chosen}) // where no Found came before
	}
	w := t.take(j)
	if t.stage.over() {
		t.drained()
		return
	}
	if r.Err == nil && r.Op() != j.Op {
		t.fail(t.stage.op(), fmt.Errorf("%w: a worker answered %q to %q", failure.ErrUnexpected, r.Op(), j.Op))
		return
	}
	switch j.Op {
	case ipc.OpHead:
		if r.Err != nil {
			t.fail(failure.OpHead, r.Err.Unpack())
			return
		}
		t.sized(r.Head)
	case ipc.OpParts:
		if r.Err != nil {
			t.logger.Info("the object's parts are not known", "error", r.Err.Text)
			t.fail(failure.OpVerify, t.mismatch)
			return
		}
		t.inspected(r.Parts.Layout, r.Parts.Parts)
	case ipc.OpRead:
		if t.stage == stageProving {
			t.settle(w, r)
		} else {
			t.readBack(w, r)
		}
	case ipc.OpGet:
		t.got(w, r)
	}
}

// got takes the answer to a job that fetched a span.
func (t *transfer) got(w *work, r *ipc.Result) {
	switch g := r.Get; {
	case r.Err != nil:
		if err := r.Err.Unpack(); !t.shareOut(w, err) {
			t.fail(failure.OpGet, err)
		}
	case g.Unsuited && t.stage == stageProbing && t.plan.end == ipc.SizeUnknown:
		t.unsuited()
	case g.Unsuited || g.Written != w.span.length:
		t.fail(failure.OpGet, fmt.Errorf("%w: a worker wrote %d bytes of a range of %d", failure.ErrUnexpected, g.Written, w.span.length))
	default:
		t.wrote(w, g.Direct)
		t.pace.add(g.Written, time.Since(w.Begun))
		t.note(w.span, g.Written, g.Record)
		t.arrived(w, g.Written, g.Sum, g.Digest, g.Also)
	}
}

// arrived counts the first n bytes of a job's span as being in the file.
func (t *transfer) arrived(w *work, n int64, sum uint64, digest []byte, also [][]byte) {
	t.spans.finish(n)
	if t.ledger != nil {
		t.ledger.Add(w.span.offset, n, sum, digest)
	}
	t.demands.Add(w.span.offset, n, w.also, also)
	t.report()
	if t.spans.complete() && len(t.works) == 0 {
		t.verify()
	}
}
