package transfer

import (
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/proof"
)

// verify compares what has arrived with what S3 keeps. Where that is a digest of the digests of
// parts, a first mismatch has the parts and their own checksums looked up: one part may be bad, or
// the parts are not what they seemed to be.
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
	t.finish(proved)
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
