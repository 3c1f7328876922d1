package processpool

import (
	"log/slog"

	"github.com/s3processpool/processpool/internal/proof"
)

// What of a transfer's object is fetched, and what proves it.

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
