package transfer

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// setPlan takes a plan, and opens the books of what it verifies by.
func (t *transfer) setPlan(p plan) {
	t.plan, t.ledger = p, nil
	t.demands = proof.NewDemands(append(slices.Clone(p.readBack), t.request.Expect...), p.size)
	if p.stored != nil {
		t.ledger = proof.NewLedger(*p.stored, p.size, p.layout)
		if p.parts != nil {
			t.ledger.Only(p.first, p.end, p.parts)
		}
	}
}

// verify compares what has arrived with what S3 keeps, and with what the caller expects. Where that
// is a digest of the digests of parts, a first mismatch has the parts and their own checksums
// looked up: one part may be bad, or the parts are not what they seemed to be.
func (t *transfer) verify() {
	var proved string
	if t.ledger != nil {
		var err error
		proved, err = t.ledger.Check()
		switch {
		case err != nil && t.mismatch == nil && t.plan.parts != nil:
			t.mismatch = err
			t.again(t.ledger.Strike(t.plan.parts))
			return
		case err != nil && t.mismatch == nil && t.ledger.Layout().Known():
			t.logger.Warn("the parts do not verify", "error", err)
			t.mismatch = err
			t.to(stageInspecting)
			return
		case err != nil:
			t.fail(failure.OpVerify, err)
			return
		}
	}
	t.proved = cmp.Or(proved, t.demands.String())
	t.compare()
}

// compare compares the further digests that are known. If one is missing, the file is read back
// first.
func (t *transfer) compare() {
	switch err := t.demands.Check(); {
	case err != nil:
		t.fail(failure.OpVerify, err)
	case len(t.demands.Missing()) > 0:
		t.proving = span{length: t.plan.size}
		t.to(stageProving)
	default:
		t.finish(t.proved)
	}
}

// prove returns a job that reads the whole file back, for the digests that are missing. It has one
// slot: a digest that does not combine needs the bytes in order.
func (t *transfer) prove() *dispatch.Job {
	s, missing := t.proving, t.demands.Missing()
	t.logger.Debug("the file is read back", "length", s.length, "algorithms", missing)
	m := &ipc.Job{Read: &ipc.Read{Offset: s.offset, Length: s.length, Also: missing}}
	t.address(m)
	w := &work{
		Job:  dispatch.Job{Op: ipc.OpRead, Offset: s.offset, Length: s.length, Message: m, File: t.temp.File()},
		span: s,
		also: missing,
	}
	t.works = append(t.works, w)
	return &w.Job
}

// settle takes the digests of the file that was read back.
func (t *transfer) settle(w *work, r *ipc.Result) {
	if r.Err != nil {
		t.fail(failure.OpRead, r.Err.Unpack())
		return
	}
	t.demands.Settle(w.also, r.Read.Also)
	if missing := t.demands.Missing(); len(missing) > 0 {
		t.fail(failure.OpRead, fmt.Errorf("%w: a worker read the file back and sent no %s", failure.ErrUnexpected, missing[0]))
		return
	}
	t.compare()
}

// inspected has fetched again what the object's own list of parts shows to be bad; or everything,
// if the parts are others than they seemed to be.
func (t *transfer) inspected(l proof.Layout, parts []proof.PartSum) {
	if t.stage != stageInspecting {
		return
	}
	if l.Known() && !l.Equal(t.object.Layout) {
		t.object.Layout = l
		plan, err := planObject(t.object, nil, &t.request)
		if err != nil {
			t.fail(failure.OpVerify, err)
			return
		}
		t.setPlan(plan)
		t.start()
		return
	}
	bad := t.ledger.Strike(parts)
	if len(bad) == 0 {
		t.fail(failure.OpVerify, t.mismatch)
		return
	}
	t.to(stageFetching)
	t.again(bad)
}

// again has parts fetched once more.
func (t *transfer) again(bad []int) {
	for _, i := range bad {
		start, end := t.object.Layout.Part(i)
		t.spans.again(span{offset: start, length: end - start})
	}
	t.report()
}
