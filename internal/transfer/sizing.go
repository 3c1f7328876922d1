package transfer

import (
	"errors"
	"fmt"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// checked goes on when the destination is known to be good.
func (t *transfer) checked(dest destination, err error) {
	if t.stage != stageChecking {
		return
	}
	if err != nil {
		t.fail(failure.OpCheck, err)
		return
	}
	t.dest, t.request.blind = dest, dest.blind
	switch r := &t.request; {
	case r.Resume:
		t.to(stageSizing)
	case r.Range != nil && r.Verify == VerifyRequired:
		t.to(stageSizing)
	case r.ExpectedSize != ipc.SizeUnknown:
		t.object.Size = r.ExpectedSize
		plan, err := planExpected(r.ExpectedSize, r)
		if err != nil {
			t.fail(failure.OpCheck, err)
			return
		}
		t.setPlan(plan)
		t.start()
	case r.SkipHead && r.shortRange():
		t.object.Size = ipc.SizeUnknown
		t.setPlan(planUnknown(r))
		t.start()
	default:
		t.to(stageSizing)
	}
}

// shortRange reports whether what is wanted is everything, or a range that the first GetObject can
// fetch.
func (r *Request) shortRange() bool {
	return r.Range == nil || r.Range.Length > 0 && r.Range.Length < r.Limit
}

// sized goes on when HeadObject has told what the object is.
func (t *transfer) sized(r *ipc.HeadResult) {
	o := r.Object
	t.object = o
	if expected := t.request.ExpectedSize; expected != ipc.SizeUnknown && expected != o.Size {
		t.fail(failure.OpHead, fmt.Errorf("%w: expected %d bytes, the object has %d", failure.ErrSizeMismatch, expected, o.Size))
		return
	}
	plan, err := planObject(o, r.Parts, &t.request)
	switch {
	case errors.Is(err, failure.ErrSizeMismatch):
		t.fail(failure.OpHead, err)
		return
	case err != nil:
		t.fail(failure.OpVerify, err)
		return
	}
	if err := t.download.contradicted(o); err != nil {
		t.fail(failure.OpHead, err)
		return
	}
	if o.Size == 0 { // a server that says so by mistake must not cause an empty file: confirm it
		plan, _ = planExpected(0, &t.request) // no range is in it
	}
	t.setPlan(plan)
	if t.request.Resume {
		t.open()
		return
	}
	t.start()
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
	if t.plan.end == ipc.SizeUnknown { // what the one job brings is the object
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
