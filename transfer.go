package processpool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
	"github.com/s3processpool/processpool/internal/sink"
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
	whole       bool // one GET without a Range
	ranges      *ranges
	ledger      *proof.Ledger // nil: nothing is proved
	mismatch    error         // what the first comparison found, once inspecting
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

// maxLost is how many workers one range, or one HeadObject, may cost.
const maxLost = 3

func newTransfer(s *scheduler, f *Future) *transfer {
	t := &transfer{scheduler: s, future: f}
	f.active = t
	if f.meta.OnProgress != nil {
		t.notifier = newNotifier(f.meta.OnProgress)
	}
	go func() {
		target, err := sink.Resolve(f.meta.Filename)
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
	if expected := t.future.meta.ExpectedSize; expected != nil && !t.future.meta.Resume {
		t.unconfirmed = true
		t.object.Size = *expected
		t.plan()
		return
	}
	t.stage = stageSizing
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

// plan makes the ranges.
func (t *transfer) plan() {
	size, config := t.object.Size, &t.scheduler.config
	t.stage = stageFetching
	switch {
	case size == 0 && t.unconfirmed:
		t.whole, t.ranges = true, newEmptyRanges()
	case t.ledger != nil && t.ledger.Layout().Known():
		t.ranges = newRanges(size, config.MultipartChunksize)
		t.ranges.parts, t.ranges.uncut = t.ledger.Layout(), !t.ledger.Combines()
	case t.oneRange():
		t.whole, t.ranges = t.oneRequest(), newRanges(size, size)
	default:
		t.ranges = newRanges(size, config.MultipartChunksize)
	}
	t.keep()
	t.report()
}

// oneRequest tells whether the object is got without a Range: if it is below the
// threshold, or only the answer to such a request names its checksum for sure.
func (t *transfer) oneRequest() bool {
	config := &t.scheduler.config
	return t.object.Size < config.MultipartThreshold || t.unconfirmed && config.Verify == VerifyRequired
}

// oneRange tells whether the object arrives as one range: in one request, or
// because it is small, or because what must prove it is a digest of all its bytes.
func (t *transfer) oneRange() bool {
	return t.oneRequest() || t.object.Size <= t.scheduler.config.MultipartChunksize ||
		t.ledger != nil && !t.ledger.Combines()
}

// choose settles what will prove the bytes, or fails the transfer where something
// must and nothing can.
func (t *transfer) choose() bool {
	verify := t.scheduler.config.Verify
	if verify == VerifyOff {
		return true
	}
	oneRange := t.oneRange() || verify == VerifyRequired // which plan then makes it
	if t.ranges != nil {
		oneRange = t.ranges.chunk >= t.object.Size
	}
	stored, ok := proof.Choose(t.object.Stored, oneRange, t.object.Layout)
	if ok {
		t.ledger = proof.NewLedger(stored, t.object.Size, t.object.Layout)
	} else if verify == VerifyRequired {
		t.fail("verify", ErrUnverifiable)
	}
	return ok || verify != VerifyRequired
}

// next returns the transfer's next job, or nil if it has none now.
func (t *transfer) next() *job {
	switch {
	case t.stage == stageSizing && len(t.jobs) == 0:
		return &job{op: ipc.OpHead, transfer: t}
	case t.stage == stageInspecting && len(t.jobs) == 0:
		return &job{op: ipc.OpParts, transfer: t}
	case t.stage != stageFetching, t.creating, t.unconfirmed && len(t.jobs) > 0:
		return nil
	}
	if j := t.nextRead(); j != nil {
		return j
	}
	if s, ok := t.ranges.take(); ok {
		return &job{op: ipc.OpGet, transfer: t, span: s}
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
		temp, err := target.Create(size)
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
	j.sent = true
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
	t.choose()
}

// progress notes how much of a job's range is in the file.
func (t *transfer) progress(j *job, p *ipc.Progress) {
	j.written, j.sum, j.record = p.Written, p.Sum, p.Record
	t.report()
}

// result takes a worker's answer.
func (t *transfer) result(j *job, r *ipc.Result) {
	t.forget(j)
	switch {
	case t.stage == stageEnding:
	case r.Err != nil && j.op == ipc.OpParts:
		t.log(slog.LevelInfo, "the object's parts are not known", "error", r.Err.Text)
		t.fail("verify", t.mismatch)
	case r.Err != nil && j.op == ipc.OpRead:
		t.bad(j, r.Err.Text)
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

// verify compares what has arrived with what S3 keeps. Where that is the digest of
// parts, a first mismatch has their layout and their own checksums looked up: it
// may be one bad part, or the parts are not what they seemed to be.
func (t *transfer) verify() {
	var proved string
	if t.ledger != nil {
		var err error
		proved, err = t.ledger.Check()
		switch {
		case err != nil && t.mismatch == nil && t.ledger.Layout().Known():
			t.log(slog.LevelWarn, "the parts do not verify", "error", err)
			t.mismatch, t.stage = err, stageInspecting
			return
		case err != nil:
			t.fail("verify", err)
			return
		}
	}
	t.finish(proved)
}

// inspected has fetched once more what the object's own list of parts shows to be
// bad.
func (t *transfer) inspected(l proof.Layout, parts []proof.PartSum) {
	if l.Known() && !l.Equal(t.object.Layout) {
		t.object.Layout = l
		if t.choose() {
			t.plan()
		}
		return
	}
	bad := t.ledger.Strike(parts)
	if len(bad) == 0 {
		t.fail("verify", t.mismatch)
		return
	}
	t.stage = stageFetching
	for _, i := range bad {
		start, end := t.object.Layout.Part(i)
		t.ranges.again(span{offset: start, length: end - start})
	}
	t.report()
}

// lost takes a job back whose worker is gone. What the worker had reported stays in
// the file, where its checksum can go on from there.
func (t *transfer) lost(j *job, err error) {
	t.forget(j)
	switch {
	case t.stage == stageEnding:
		return
	case j.op == ipc.OpRead:
		t.lostRead(j, err)
		return
	case j.op != ipc.OpGet:
		if t.askLost++; t.askLost >= maxLost {
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
	n := j.written
	if t.ledger != nil && !t.ledger.Combines() {
		n = 0
	}
	if n < s.length || s.length == 0 {
		rest := span{offset: s.offset + n, length: s.length - n, lost: s.lost}
		t.ranges.giveBack(rest)
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
	t.scheduler.leave(t)
	t.scheduler.settle(t.future, o, err)
}

func (t *transfer) log(level slog.Level, text string, args ...any) {
	meta := &t.future.meta
	args = append([]any{"transfer", meta.TransferID, "bucket", meta.Bucket, "key", meta.Key}, args...)
	t.scheduler.logger.Log(context.Background(), level, text, args...)
}

// isLost tells an error that names a lost worker already.
func isLost(err error) bool { return errors.Is(err, failure.ErrWorkerLost) }
