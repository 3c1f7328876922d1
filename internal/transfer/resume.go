package transfer

import (
	"cmp"
	"context"
	"fmt"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/journal"
	"github.com/s3processpool/processpool/internal/partial"
)

// resume is what a transfer has besides when its download may be resumed. The journal's records are
// claims. Workers read their bytes back while other ranges are fetched; a range whose bytes are not
// what the journal says is fetched like those that it does not name.
type resume struct {
	partial *partial.File      // nil: not to be resumed, or not open yet
	abandon context.CancelFunc // ends the opening; nil: it is not under way
	reads   []read             // ranges to be read back, the next one last
	resumed int64              // bytes that were read back, and are good
}

// read is a range that an earlier download has left.
type read struct {
	span
	sum uint64 // by the journal
}

// open opens the partial file, with what an earlier download has left in it.
func (t *transfer) open() {
	t.to(stageOpening)
	ctx, cancel := context.WithCancel(context.Background())
	t.abandon = cancel
	o := partial.Options{
		Target: t.dest.target,
		Header: t.header(),
		Failed: func(err error) { t.loop.Do(func() { t.fail(failure.OpSync, err) }) },
		Logger: t.logger,
	}
	t.help(func() func() {
		file, err := partial.Open(ctx, o)
		cancel()
		return func() { t.opened(file, err) }
	})
}

// header describes the object to the journal.
func (t *transfer) header() journal.Header {
	o := &t.object
	h := journal.Header{
		Bucket:       t.request.Bucket,
		Key:          t.request.Key,
		VersionID:    cmp.Or(o.VersionID, t.request.Args.VersionID),
		ETag:         o.ETag,
		First:        t.plan.first,
		Size:         t.plan.length(),
		LastModified: o.LastModified,
		Algorithm:    checksum.CRC64NVME,
	}
	if t.ledger != nil && t.ledger.Combines() {
		h.Algorithm = t.ledger.Algorithm()
	}
	return h
}

func (t *transfer) opened(file *partial.File, err error) {
	t.abandon, t.partial = nil, file
	if file != nil {
		t.temp = file.Temp
	}
	switch {
	case t.stage == stageAbandoning:
		t.clean()
	case err != nil:
		t.giveUp(failure.OpOpen, err)
		t.clean()
	default:
		t.start()
	}
}

// planReads plans to read back what the journal names, and to fetch the rest. A second plan, for
// parts that were not what they seemed to be, fetches everything.
func (t *transfer) planReads() {
	t.resumed, t.reads = 0, nil
	if t.partial == nil || len(t.partial.Records) == 0 {
		return
	}
	whole := t.ledger != nil && !t.ledger.Combines()
	first := t.plan.first
	for i := range t.partial.Records {
		t.partial.Records[i].Offset += first
	}
	kept := partial.Keep(t.partial.Records, t.partial.Algorithm, t.object.Size, t.plan.layout, whole)
	t.partial.Records = nil
	spans := make([]span, len(kept))
	var bytes int64
	for i, r := range kept {
		spans[i] = span{offset: r.Offset, length: r.Length}
		bytes += r.Length
	}
	t.spans.without(spans)
	for i := len(kept) - 1; i >= 0; i-- {
		t.reads = append(t.reads, read{spans[i], kept[i].Sum})
	}
	t.logger.Info("download resumed", "bytes", bytes, "ranges", len(kept))
}

// nextRead returns a job that reads the next range back, or nil if there is none.
func (t *transfer) nextRead() *dispatch.Job {
	last := len(t.reads) - 1
	if last < 0 {
		return nil
	}
	r := t.reads[last]
	t.reads = t.reads[:last]
	also := t.demands.Of(r.offset, r.length)
	m := &ipc.Job{Read: &ipc.Read{Offset: r.offset - t.plan.first, Length: r.length, Record: t.partial.Algorithm, Also: also}}
	if t.ledger != nil {
		m.Read.Checksum = t.ledger.Algorithm()
	}
	t.address(m)
	w := &work{
		Job:  dispatch.Job{Op: ipc.OpRead, Offset: r.offset, Length: r.length, Message: m, File: t.temp.File()},
		span: r.span,
		also: also,
		want: r.sum,
	}
	t.works = append(t.works, w)
	return &w.Job
}

// readBack counts a range that was read back, if its bytes are those of the journal.
func (t *transfer) readBack(w *work, r *ipc.Result) {
	switch {
	case r.Err != nil:
		t.fetchAgain(w, r.Err.Text)
	case r.Read.Record != w.want:
		t.fetchAgain(w, "its bytes do not have the checksum in the journal")
	default:
		t.resumed += w.span.length
		t.arrived(w, w.span.length, r.Read.Sum, r.Read.Digest, r.Read.Also)
	}
}

// fetchAgain has a range fetched that could not be read back, or was not what the journal says.
func (t *transfer) fetchAgain(w *work, why string) {
	t.logger.Warn("a range of the partial file is fetched again", "offset", w.span.offset, "length", w.span.length, "error", why)
	t.spans.giveBack(w.span)
}

// lostRead takes a range back whose worker was lost while it read it.
func (t *transfer) lostRead(w *work, err error) {
	s := w.span
	s.lost += w.Cost()
	switch {
	case s.lost >= maxLost:
		t.fail(failure.OpRead, fmt.Errorf("reading back %d bytes at %d has cost %d workers: %w", s.length, s.offset, s.lost, err))
	case t.stage == stageProving:
		t.proving.lost = s.lost
	default:
		t.reads = append(t.reads, read{s, w.want})
	}
}

// note writes the first n bytes of a span into the journal, if there is one. With the object's last
// bytes the file is complete before the journal could be.
func (t *transfer) note(s span, n int64, sum uint64) {
	if t.partial != nil && n > 0 {
		soon := t.spans.done+n < t.plan.length()
		t.partial.Add(journal.Record{Offset: s.offset - t.plan.first, Length: n, Sum: sum}, soon)
	}
}

// noteUnfinished writes into the journal what a worker has reported of a span that will not be
// finished.
func (t *transfer) noteUnfinished(w *work) {
	if t.partial != nil && w.Op == ipc.OpGet && w.Written > 0 {
		t.partial.Add(journal.Record{Offset: w.span.offset - t.plan.first, Length: w.Written, Sum: w.Record}, false)
	}
}
