package transfer

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/osfile"
	"github.com/s3processpool/processpool/internal/proof"
	"github.com/s3processpool/processpool/internal/sink"
)

// maxLost is how many workers one range, or one question such as HeadObject, may cost.
const maxLost = 3

// transfer is a download that has begun. It is a dispatch.Task; see the package comment for its
// lifecycle, and for who may touch its fields.
type transfer struct {
	env      *Env
	loop     *dispatch.Loop
	download *Download
	request  Request
	logger   *slog.Logger
	notifier *notifier // nil: nobody listens

	stage stage
	first error // the first error; nil: none

	target sink.Target
	temp   *sink.Temp // nil: none yet, or none any more
	resume            // of use only where Request.Resume is set

	object   ipc.Object // what is known of it
	plan     plan
	spans    *spans
	ledger   *proof.Ledger // nil: nothing is verified
	mismatch error         // what the first comparison found; set once inspecting
	pace     pace          // of the ranges that have arrived
	works    []*work       // jobs that have a slot
	cost     int           // workers lost over questions
}

// work is a job of the transfer's with the span it is for.
type work struct {
	dispatch.Job
	span span
	want uint64 // Read: the checksum that the journal has of the span
}

// begin starts the transfer of a download with the check of its destination.
func begin(d *Download, l *dispatch.Loop) *transfer {
	t := &transfer{env: d.env, loop: l, download: d, request: d.owner.Request()}
	t.logger = t.env.Logger.With("transfer", t.request.ID, "bucket", t.request.Bucket, "key", t.request.Key)
	d.begun = true
	t.env.Counters.Begun()
	if t.request.OnProgress != nil {
		t.notifier = newNotifier(t.request.OnProgress)
	}
	files, request := t.env.Files, t.request
	t.help(func() (report func()) {
		target, err := request.resolve(files)
		return func() { t.checked(target, err) }
	})
	return t
}

// resolve checks the destination.
func (r *Request) resolve(files *osfile.System) (sink.Target, error) {
	target, err := sink.Resolve(files, r.Filename)
	if err != nil {
		return target, err
	}
	if r.Durable {
		target = target.Durable()
	}
	target = target.WithMode(r.Mode)
	if r.NoClobber {
		target = target.NoClobber()
		_, err = target.Present()
	}
	return target, err
}

// help runs work in a goroutine, and then its report on the loop's goroutine. work touches no field
// of the transfer.
func (t *transfer) help(work func() (report func())) {
	run := func() { t.loop.Do(work()) }
	if t.env.Go != nil {
		t.env.Go(run)
		return
	}
	go run()
}

// Logger implements dispatch.Task.
func (t *transfer) Logger() *slog.Logger { return t.logger }

// Soon implements dispatch.Task.
func (t *transfer) Soon() bool { return t.stage == stageChecking || t.stage == stageOpening }

// Next implements dispatch.Task.
func (t *transfer) Next() *dispatch.Job {
	switch t.stage {
	case stageSizing:
		if len(t.works) == 0 {
			return t.ask(&ipc.Job{Head: &ipc.Head{
				Layout:  t.request.Verify != VerifyOff,
				IfMatch: t.request.IfMatch, IfNoneMatch: t.request.IfNoneMatch,
			}})
		}
	case stageInspecting:
		if len(t.works) == 0 {
			return t.ask(&ipc.Job{Parts: &ipc.Parts{ETag: t.object.ETag, Size: t.object.Size}})
		}
	case stageProbing:
		if len(t.works) == 0 {
			return t.fetch()
		}
	case stageFetching:
		if j := t.nextRead(); j != nil {
			return j
		}
		return t.fetch()
	}
	return nil
}

// checked goes on when the destination is known to be good.
func (t *transfer) checked(target sink.Target, err error) {
	if t.stage != stageChecking {
		return
	}
	if err != nil {
		t.fail(failure.OpCheck, err)
		return
	}
	t.target = target
	switch r := &t.request; {
	case r.Resume:
		t.to(stageSizing)
	case r.ExpectedSize != ipc.SizeUnknown:
		t.object.Size = r.ExpectedSize
		t.setPlan(planExpected(r.ExpectedSize, r))
		t.start()
	case r.SkipHead:
		t.object.Size = ipc.SizeUnknown
		t.setPlan(planUnknown())
		t.start()
	default:
		t.to(stageSizing)
	}
}

// sized goes on when HeadObject has told what the object is.
func (t *transfer) sized(o ipc.Object) {
	t.object = o
	if expected := t.request.ExpectedSize; expected != ipc.SizeUnknown && expected != o.Size {
		t.fail(failure.OpHead, fmt.Errorf("%w: expected %d bytes, the object has %d", failure.ErrSizeMismatch, expected, o.Size))
		return
	}
	plan, err := planObject(o, &t.request)
	if err != nil {
		t.fail(failure.OpVerify, err)
		return
	}
	if err := t.download.contradicted(o); err != nil {
		t.fail(failure.OpHead, err)
		return
	}
	if o.Size == 0 { // a server that says so by mistake must not cause an empty file: confirm it
		plan = planExpected(0, &t.request)
	}
	t.setPlan(plan)
	if t.request.Resume {
		t.open()
		return
	}
	t.start()
}

// setPlan takes a plan, and opens the ledger of what it verifies by.
func (t *transfer) setPlan(p plan) {
	t.plan, t.ledger = p, nil
	if p.stored != nil {
		t.ledger = proof.NewLedger(*p.stored, p.size, p.layout)
	}
}

// start goes on with the plan's ranges; or with the first one, whose answer must confirm the plan.
func (t *transfer) start() {
	if t.plan.confirmed {
		t.to(stageFetching)
	} else {
		t.to(stageProbing)
	}
	t.spans = newSpans(t.plan)
	t.planReads()
	if t.plan.size != ipc.SizeUnknown {
		t.report()
	}
}

// found takes what the first answer to a GetObject tells of the object, and of what the worker
// verifies it by.
func (t *transfer) found(f *ipc.Found) {
	if t.stage != stageProbing || len(t.works) == 0 || t.temp == nil {
		return
	}
	t.object = f.Object
	if err := t.download.contradicted(f.Object); err != nil {
		t.fail(failure.OpGet, err)
		return
	}
	plan, err := t.plan.confirm(f.Object, f.Chosen, &t.request)
	if err != nil {
		t.fail(failure.OpVerify, err)
		return
	}
	if t.plan.size == ipc.SizeUnknown { // what the one job brings is the object
		t.spans = newSpans(plan)
		s, _ := t.spans.take()
		w := t.works[0]
		s.lost = w.span.lost
		w.span, w.Length = s, s.length
		t.temp.Sized(plan.size)
	}
	t.to(stageFetching)
	t.setPlan(plan)
	t.report()
}

// unsuited starts again with a HeadObject: the object is too large to be fetched at once, or must
// be fetched by its parts to be verified.
func (t *transfer) unsuited() {
	t.plan, t.spans, t.object = plan{}, nil, ipc.Object{}
	t.discard(stageSizing)
}

// take removes a job from those that have a slot, and returns its work.
func (t *transfer) take(j *dispatch.Job) *work {
	at := slices.IndexFunc(t.works, func(w *work) bool { return &w.Job == j })
	w := t.works[at]
	t.works = slices.Delete(t.works, at, at+1)
	return w
}
