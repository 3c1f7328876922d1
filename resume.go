package processpool

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/journal"
	"github.com/s3processpool/processpool/internal/partial"
)

// resume is what a transfer has besides when its download may be resumed. The
// journal's claims are read back by workers while other ranges are fetched: a range
// that is not what the journal says is fetched like those that it does not name.
type resume struct {
	partial *partial.File      // nil: not to be resumed, or not open yet
	abandon context.CancelFunc // while it is opened
	reads   []read             // kept ranges to be read back, the next one last
	resumed int64              // bytes that were, and are good
}

type read struct {
	span
	sum uint64
}

// open opens the partial file, with what an earlier download has left in it.
func (t *transfer) open() {
	t.stage, t.creating = stageOpening, true
	ctx, cancel := context.WithCancel(context.Background())
	t.abandon = cancel
	o := partial.Options{
		Target: t.target,
		Header: t.header(),
		Failed: func(err error) { t.scheduler.do(func() { t.fail("sync", err) }) },
		Log:    t.log,
	}
	go func() {
		file, err := partial.Open(ctx, o)
		cancel()
		t.scheduler.do(func() { t.opened(file, err) })
	}()
}

// header is the object in the journal's words.
func (t *transfer) header() journal.Header {
	meta, o := &t.future.meta, &t.object
	h := journal.Header{
		Bucket:       meta.Bucket,
		Key:          meta.Key,
		VersionID:    cmp.Or(o.VersionID, meta.ExtraArgs.VersionId),
		ETag:         o.ETag,
		Size:         o.Size,
		LastModified: o.LastModified,
		Algorithm:    checksum.CRC64NVME,
	}
	if t.ledger != nil && t.ledger.Combines() {
		h.Algorithm = t.ledger.Algorithm()
	}
	return h
}

func (t *transfer) opened(file *partial.File, err error) {
	t.creating, t.abandon, t.partial = false, nil, file
	if file != nil {
		t.temp = file.Temp
	}
	switch {
	case t.stage == stageEnding:
		t.clean()
	case err != nil:
		t.fail("open", err)
	default:
		t.begin()
	}
}

// keep plans to read back what the journal names, and to fetch the rest. A second
// plan, for parts that were not what they had seemed to be, fetches everything.
func (t *transfer) keep() {
	t.resumed, t.reads = 0, nil
	if t.partial == nil || len(t.partial.Records) == 0 {
		return
	}
	whole := t.ledger != nil && !t.ledger.Combines()
	kept := partial.Keep(t.partial.Records, t.partial.Algorithm, t.object.Size, t.ranges.parts, whole)
	t.partial.Records = nil
	spans := make([]span, len(kept))
	var bytes int64
	for i, r := range kept {
		spans[i] = span{offset: r.Offset, length: r.Length}
		bytes += r.Length
	}
	t.ranges.without(spans)
	for i := len(kept) - 1; i >= 0; i-- {
		t.reads = append(t.reads, read{spans[i], kept[i].Sum})
	}
	t.log(slog.LevelInfo, "an earlier download is gone on with", "bytes", bytes, "ranges", len(kept))
}

// nextRead returns the next range to be read back.
func (t *transfer) nextRead() *job {
	last := len(t.reads) - 1
	if last < 0 {
		return nil
	}
	r := t.reads[last]
	t.reads = t.reads[:last]
	return &job{op: ipc.OpRead, owner: t, span: r.span, record: r.sum}
}

// readBack counts a kept range if its bytes are those that were written down.
func (t *transfer) readBack(j *job, r *ipc.Result) {
	if r.Record != j.record {
		t.bad(j, "its bytes do not have the checksum that was written down")
		return
	}
	t.resumed += j.span.length
	t.arrived(j.span, j.span.length, r.Sum, r.Digest)
}

// bad has a kept range fetched again.
func (t *transfer) bad(j *job, why string) {
	t.log(slog.LevelWarn, "a kept range is fetched again", "offset", j.span.offset, "length", j.span.length, "error", why)
	t.ranges.giveBack(j.span)
}

// lostRead takes a kept range back whose worker is gone.
func (t *transfer) lostRead(j *job, err error) {
	s := j.span
	if s.lost += j.cost(); s.lost >= maxLost {
		t.fail("read", fmt.Errorf("a kept range of %d bytes at %d has cost %d workers: %w", s.length, s.offset, s.lost, err))
		return
	}
	t.reads = append(t.reads, read{s, j.record})
}

// note writes the first n bytes of a span into the journal, if there is one. When
// they are the object's last, the file is complete before the journal could be.
func (t *transfer) note(s span, n int64, sum uint64) {
	if t.partial != nil && n > 0 {
		soon := t.ranges.done+n < t.object.Size
		t.partial.Add(journal.Record{Offset: s.offset, Length: n, Sum: sum}, soon)
	}
}

// noteUnfinished writes down what a worker has reported of a range that will not be
// finished.
func (t *transfer) noteUnfinished(j *job) {
	if t.partial != nil && j.op == ipc.OpGet && j.written > 0 {
		t.partial.Add(journal.Record{Offset: j.span.offset, Length: j.written, Sum: j.record}, false)
	}
}

// CleanPartials removes from a directory, and not from those below it, what
// downloads have left that ended without their own cleaning, if it is older than
// that: partial files of DownloadOptions.Resume with their journals, journals without
// their file, and temporary files of processes that were killed. It returns the paths
// of the files that it removed.
//
// It takes nothing that it does not know for the library's own: a partial file by
// its journal or its mark, a temporary one by its mark, an extended attribute
// ("user.processpool") that is there until the file is complete. Where the file
// system keeps no such marks, temporary files stay. A file that a download is
// writing to, of whatever process, stays too, however old. The error
// joins those of all files that should have gone and could not.
func CleanPartials(dir string, olderThan time.Duration) (removed []string, err error) {
	removed, err = partial.Clean(dir, time.Now().Add(-olderThan))
	if err != nil {
		err = fmt.Errorf("processpool: clean %s: %w", dir, err)
	}
	return removed, err
}
