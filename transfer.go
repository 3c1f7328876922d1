package processpool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/tail"
)

// transfer is a download that has started:
//
//	checking -> sizing (-> opening) -> fetching <-> inspecting
//	    |         |           |           |  \_______/  |
//	    |         |           |           |             v
//	    \---------\-----------\-----------\---------> ending, or finishing -> settled
//
// Its fields are the scheduler's goroutine's. Three steps may block and run in a
// goroutine of their own, one at a time: the destination's check, the temporary or
// partial file's creation, and the end, by publication or removal. Each gives its outcome
// back with scheduler.do, and touches no field meanwhile but those it was handed.
type transfer struct {
	scheduler *scheduler
	future    *Future
	stage     stage
	outcome   error // the first error, once ending

	target   sink.Target
	temp     *sink.Temp
	creating bool // temp is being created
	resume        // of no use where Resume is not asked for

	object      ipc.Object
	unconfirmed bool // object.Size is the caller's word
	probing     bool // object.Size is not known: the first answer to a GET tells it
	whole       bool // one GET without a Range
	ranges      *ranges
	ledger      *proof.Ledger // nil: nothing is proved
	mismatch    error         // what the first comparison found, once inspecting
	pace        tail.Pace     // of the ranges that have arrived
	jobs        []*job        // handed out, not answered
	askLost     int           // workers that died over a question (HeadObject)

	notifier *notifier // nil: nobody listens
}

type stage int

const (
	stageChecking stage = iota
	stageSizing
	stageOpening // of the partial file of a download that may be resumed
	stageFetching
	stageInspecting // of the object's parts, because they do not verify
	stageFinishing
	stageEnding
)

// op is the word for a stage in a TransferError.
func (s stage) op() string {
	return [...]string{"check", "head", "open", "get", "verify", "publish", "end"}[s]
}

// unknownSize is an object's size before the first answer to a GET.
const unknownSize = -1

// maxLost is how many workers one range, or one HeadObject, may cost.
const maxLost = 3

func newTransfer(s *scheduler, f *Future) *transfer {
	t := &transfer{scheduler: s, future: f}
	f.active, f.begun = t, true
	s.counters.begun()
	if f.meta.OnProgress != nil {
		t.notifier = newNotifier(f.meta.OnProgress)
	}
	go func() {
		target, err := sink.Resolve(nil, f.meta.Filename)
		s.do(func() { t.checked(target, err) })
	}()
	return t
}

// checking tells whether the transfer will soon have a job for a free slot.
func (t *transfer) checking() bool { return t.stage == stageChecking || t.stage == stageOpening }

// checked goes on when the destination is known to be good.
func (t *transfer) checked(target sink.Target, err error) {
	if t.stage != stageChecking {
		return
	}
	if err != nil {
		t.fail("check", err)
		return
	}
	t.target = target
	switch meta := &t.future.meta; {
	case meta.Resume:
		t.stage = stageSizing
	case meta.ExpectedSize != nil:
		t.unconfirmed = true
		t.object.Size = *meta.ExpectedSize
		t.plan()
	case meta.SkipHead:
		t.unconfirmed, t.probing = true, true
		t.object.Size = unknownSize
		t.stage, t.ranges = stageFetching, newEmptyRanges()
	default:
		t.stage = stageSizing
	}
}

// sized goes on when HeadObject has told what the object is.
func (t *transfer) sized(o ipc.Object) {
	t.object = o
	if expected := t.future.meta.ExpectedSize; expected != nil && *expected != o.Size {
		t.fail("head", fmt.Errorf("%w: expected %d bytes, the object has %d", ErrSizeMismatch, *expected, o.Size))
		return
	}
	if !t.choose() {
		return
	}
	if t.future.meta.Resume {
		t.open()
		return
	}
	t.begin()
}

// begin goes on when all is known that a plan needs.
func (t *transfer) begin() {
	t.plan()
	if t.object.Size == 0 {
		t.verify() // nothing to fetch
	}
}

// next returns the transfer's next job, or nil if it has none now.
func (t *transfer) next() *job {
	switch {
	case t.stage == stageSizing && len(t.jobs) == 0:
		return &job{op: ipc.OpHead, owner: t}
	case t.stage == stageInspecting && len(t.jobs) == 0:
		return &job{op: ipc.OpParts, owner: t}
	case t.stage != stageFetching, t.creating, t.unconfirmed && len(t.jobs) > 0:
		return nil
	}
	if j := t.nextRead(); j != nil {
		return j
	}
	if s, ok := t.ranges.take(); ok {
		return &job{op: ipc.OpGet, owner: t, span: s}
	}
	return nil
}

// assign is told which slot the job has got. The first range's waits for the
// temporary file.
func (t *transfer) assign(j *job) {
	t.jobs = append(t.jobs, j)
	if j.op != ipc.OpGet || t.temp != nil {
		t.send(j)
		return
	}
	t.creating = true
	target, size := t.target, t.object.Size
	go func() {
		create := target.CreateUnsized
		if size != unknownSize {
			create = func() (*sink.Temp, error) { return target.Create(size) }
		}
		temp, err := create()
		t.scheduler.do(func() { t.created(j, temp, err) })
	}()
}

func (t *transfer) created(j *job, temp *sink.Temp, err error) {
	t.creating, t.temp = false, temp
	switch {
	case t.stage == stageEnding:
		t.drop(j)
		t.clean()
	case err != nil:
		t.drop(j)
		t.fail("create", err)
	case slices.Contains(t.jobs, j): // or its worker was lost meanwhile
		t.send(j)
	}
}

// drop takes a job that was never sent out of its slot.
func (t *transfer) drop(j *job) {
	delete(j.hand.jobs, j.id)
	t.forget(j)
}

func (t *transfer) forget(j *job) {
	t.jobs = slices.DeleteFunc(t.jobs, func(other *job) bool { return other == j })
}

func (t *transfer) send(j *job) {
	j.sent, j.begun = true, time.Now()
	j.heard = j.begun
	t.scheduler.counters.requested(j.op)
	meta := &t.future.meta
	m := &ipc.Job{
		ID: j.id, Op: j.op, Bucket: meta.Bucket, Key: meta.Key, Args: t.args(),
		ETag: t.object.ETag, Size: t.object.Size,
		Choose: t.scheduler.config.Verify != VerifyOff,
	}
	if j.op != ipc.OpGet && j.op != ipc.OpRead {
		j.hand.worker.Job(m, nil)
		return
	}
	m.Offset, m.Length = j.span.offset, j.span.length
	m.Whole = t.whole && j.span.length == t.object.Size
	m.Unconfirmed = t.unconfirmed
	m.WriteBack = t.scheduler.config.Durable
	if t.probing {
		m.Whole, m.Limit = true, t.scheduler.config.MultipartThreshold
	}
	if t.ledger != nil {
		m.Checksum = t.ledger.Algorithm()
	}
	if t.partial != nil {
		m.Record = t.partial.Algorithm
	}
	j.hand.worker.Job(m, t.temp.File())
}

func (t *transfer) args() ipc.Args {
	extra := &t.future.meta.ExtraArgs
	a := ipc.Args{
		ChecksumMode:         string(extra.ChecksumMode),
		VersionID:            extra.VersionId,
		SSECustomerAlgorithm: extra.SSECustomerAlgorithm,
		SSECustomerKey:       extra.SSECustomerKey,
		SSECustomerKeyMD5:    extra.SSECustomerKeyMD5,
		RequestPayer:         string(extra.RequestPayer),
		ExpectedBucketOwner:  extra.ExpectedBucketOwner,
	}
	if t.scheduler.config.Verify != VerifyOff {
		a.ChecksumMode = string(types.ChecksumModeEnabled)
	}
	return a
}

// found goes on when the first answer to a GET has confirmed the caller's size.
func (t *transfer) found(o ipc.Object) {
	if t.stage != stageFetching || !t.unconfirmed {
		return
	}
	t.unconfirmed = false
	t.object = o
	if t.probing {
		t.probed()
	}
	t.choose()
}

// probed goes on when the answer to a GET has told the size. What it brings is one range,
// which the one job of the transfer has.
func (t *transfer) probed() {
	t.probing, t.whole = false, true
	t.ranges = newRanges(t.object.Size, t.object.Size)
	s, _ := t.ranges.take()
	s.lost = t.jobs[0].span.lost
	t.jobs[0].span = s
	t.temp.Sized(t.object.Size)
	t.report()
}

// unsuited starts afresh, with a HeadObject: the object is too large to be got at once,
// or must be got by its parts to be proved.
func (t *transfer) unsuited() {
	t.unconfirmed, t.probing, t.ranges, t.object = false, false, nil, ipc.Object{}
	t.discard(stageSizing)
}

// discard gives the temporary file up, and goes on with the stage once it is gone.
func (t *transfer) discard(next stage) {
	temp := t.temp
	t.temp, t.creating = nil, true
	go func() {
		temp.Discard()
		t.scheduler.do(func() {
			t.creating = false
			if t.stage == stageEnding {
				t.clean()
				return
			}
			t.stage = next
		})
	}()
}

// progress notes how much of a job's range is in the file. Words that a worker sent
// before it heard of the end come to nothing: nobody is to be told of them.
func (t *transfer) progress(j *job, p *ipc.Progress) {
	if t.stage == stageEnding {
		return
	}
	j.written, j.sum, j.record = p.Written, p.Sum, p.Record
	j.heard, j.retrying = time.Now(), false
	t.report()
}

// result takes a worker's answer.
func (t *transfer) result(j *job, r *ipc.Result) {
	if j.op == ipc.OpGet && r.Err == nil && !r.Unsuited {
		t.found(r.Object) // where no word came before
	}
	t.forget(j)
	switch {
	case t.stage == stageEnding:
	case r.Unsuited:
		t.unsuited()
	case r.Err != nil && j.op == ipc.OpParts:
		t.log(slog.LevelInfo, "the object's parts are not known", "error", r.Err.Text)
		t.fail("verify", t.mismatch)
	case r.Err != nil && j.op == ipc.OpRead:
		t.bad(j, r.Err.Text)
	case r.Err != nil && t.reclaimed(j, r):
	case r.Err != nil:
		t.fail(t.stage.op(), r.Err.Unpack())
	case j.op == ipc.OpHead:
		t.sized(r.Object)
	case j.op == ipc.OpParts:
		t.inspected(r.Object.Layout, r.Parts)
	case r.Written != j.span.length:
		t.fail("get", fmt.Errorf("%w: a worker wrote %d bytes of a range of %d", failure.ErrUnexpected, r.Written, j.span.length))
	case j.op == ipc.OpRead:
		t.readBack(j, r)
	default:
		t.pace.Add(r.Written, time.Since(j.begun))
		t.note(j.span, r.Written, r.Record)
		t.arrived(j.span, r.Written, r.Sum, r.Digest)
	}
}

// arrived counts the first n bytes of a span as being in the file.
func (t *transfer) arrived(s span, n int64, sum uint64, digest []byte) {
	t.ranges.finish(n)
	if t.ledger != nil {
		t.ledger.Add(s.offset, n, sum, digest)
	}
	t.report()
	if t.ranges.complete() && len(t.jobs) == 0 {
		t.verify()
	}
}

// lost takes a job back whose worker is gone. What the worker had reported stays in
// the file, where it is known of which version it is and the checksum can go on from there.
func (t *transfer) lost(j *job, err error) {
	t.forget(j)
	switch {
	case t.stage == stageEnding:
		return
	case j.op == ipc.OpRead:
		t.lostRead(j, err)
		return
	case j.op != ipc.OpGet:
		if t.askLost += j.cost(); t.askLost >= maxLost {
			t.fail(t.stage.op(), err)
		}
		return
	case !j.sent:
		t.ranges.giveBack(j.span)
		return
	}
	s := j.span
	if s.lost++; s.lost >= maxLost {
		t.fail("get", fmt.Errorf("a range of %d bytes at %d has cost %d workers: %w", s.length, s.offset, s.lost, err))
		return
	}
	t.log(slog.LevelWarn, "range taken back", "offset", s.offset, "length", s.length, "written", j.written, "worker", j.hand.worker.PID)
	t.takeBack(j, s, 1)
	if t.probing {
		t.discard(stageFetching) // the worker may have written more than the next one will find
	}
}

// kept returns how much of what a job has reported stays if the job ends early: nothing, where it is
// not known to be of the object's version, or its checksum cannot go on from there.
func (t *transfer) kept(j *job) int64 {
	if t.unconfirmed || !t.combines() {
		return 0
	}
	return j.written
}

// combines tells whether a range can be had in pieces.
func (t *transfer) combines() bool { return t.ledger == nil || t.ledger.Combines() }

// takeBack keeps what it can of a job's span, and has the rest handed out in so many pieces, or fewer
// if they would be small.
func (t *transfer) takeBack(j *job, s span, pieces int) {
	n := t.kept(j)
	if !t.combines() {
		pieces = 1
	}
	if n < s.length || s.length == 0 {
		rest := s
		rest.offset, rest.length = s.offset+n, s.length-n
		t.ranges.share(rest, pieces)
	}
	if n > 0 {
		t.note(s, n, j.record)
		t.arrived(s, n, j.sum, nil)
	}
}

// report publishes how many bytes are in the file.
func (t *transfer) report() {
	p := Progress{BytesDone: t.ranges.done, BytesTotal: t.object.Size}
	for _, j := range t.jobs {
		p.BytesDone += j.written
	}
	t.future.bytesDone.Store(p.BytesDone)
	t.future.bytesTotal.Store(p.BytesTotal)
	if t.notifier != nil {
		t.notifier.post(p)
	}
}

func (t *transfer) log(level slog.Level, text string, args ...any) {
	if !t.scheduler.logger.Enabled(context.Background(), level) {
		return // there is one for each range
	}
	meta := &t.future.meta
	args = append([]any{"transfer", meta.TransferID, "bucket", meta.Bucket, "key", meta.Key}, args...)
	t.scheduler.logger.Log(context.Background(), level, text, args...)
}

// isLost tells an error that names a lost worker already.
func isLost(err error) bool { return errors.Is(err, failure.ErrWorkerLost) }
