package transfer

import (
	"log/slog"
	"slices"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
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

	dest   destination
	temp   file // nil: none yet, or none any more
	resume      // of use only where Request.Resume is set

	object   ipc.Object // what is known of it
	plan     plan
	spans    *spans
	ledger   *proof.Ledger  // nil: nothing is verified
	demands  *proof.Demands // what is compared besides; nil: nothing is
	mismatch error          // what the first comparison found; set once inspecting
	proved   string         // what has verified the bytes so far
	proving  span           // the whole file, to be read back; only stageProving uses it
	pace     pace           // of the ranges that have arrived
	works    []*work        // jobs that have a slot
	cost     int            // workers lost over questions
	tried    int            // requests that these workers have made
	direct   direct
}

// work is a job of the transfer's with the span it is for.
type work struct {
	dispatch.Job
	span span
	also []checksum.Algorithm // of the further checksums that it was asked for
	want uint64               // Read: the checksum that the journal has of the span
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
		dest, err := request.resolve(files)
		return func() { t.checked(dest, err) }
	})
	return t
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
				Layout: t.request.Verify != VerifyOff, Range: t.request.Range,
				IfMatch: t.request.IfMatch, IfNoneMatch: t.request.IfNoneMatch,
			}})
		}
	case stageInspecting:
		if len(t.works) == 0 {
			return t.ask(&ipc.Job{Parts: &ipc.Parts{ETag: t.object.ETag, Size: t.object.Size}})
		}
	case stageProving:
		if len(t.works) == 0 {
			return t.prove()
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

// start goes on with the plan's ranges; or with the first one, whose answer must confirm the plan.
func (t *transfer) start() {
	if t.plan.confirmed {
		t.to(stageFetching)
	} else {
		t.to(stageProbing)
	}
	t.spans, t.direct.bytes = newSpans(t.plan), 0
	t.planReads()
	if t.plan.end != ipc.SizeUnknown {
		t.report()
	}
}

// take removes a job from those that have a slot, and returns its work.
func (t *transfer) take(j *dispatch.Job) *work {
	at := slices.IndexFunc(t.works, func(w *work) bool { return &w.Job == j })
	w := t.works[at]
	t.works = slices.Delete(t.works, at, at+1)
	return w
}
