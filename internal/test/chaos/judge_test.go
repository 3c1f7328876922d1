//go:build linux

package chaos

import (
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/partial"
)

// judge compares the result of a download with the plan and with the faults that have fired.
func (r *run) judge(t *transfer) {
	r.count.Transfers++
	for _, o := range t.struck {
		r.count.faults(o.name, o.fault.Hits())
	}
	err := t.future.Result()
	if err == nil {
		r.count.Succeeded++
		r.judgeSuccess(t)
	} else {
		r.judgeError(t, err)
	}
	if t.badStep.Load() {
		r.Errorf("%s: got a progress beyond the total", t.key)
	}
	switch {
	case t.failed && t.disk.errno == 0:
		r.count.fault("cancel in " + t.disk.op)
	case t.failed:
		r.count.fault("failed " + t.disk.op)
	}
	if t.odd.struck() {
		r.count.fault(t.odd.String())
	}
	r.judgeFiles(t)
}

// excused reports whether the response to a request may have been lost, because the worker was
// killed or had stalled, or because the origin left.
func (r *run) excused() bool {
	return r.lethal.Load() > 0 || r.plan.stall < time.Minute || r.plan.outage.struck()
}

// unstarted reports whether a worker may have been stopped for good while it started. It then
// counts as one that cannot start.
func (r *run) unstarted() bool { return slices.ContainsFunc(r.plan.blows, blow.endless) }

func (r *run) judgeSuccess(t *transfer) {
	for _, o := range t.struck {
		// The request of a range that was taken back may change the object after all others.
		late := o.do != nil && r.d.Stats().Retries.Slow > 0
		if o.fatal && !late && !r.excused() && !t.asksAgain() {
			r.Errorf("%s: got success after %v", t.key, o)
		}
	}
	// The file of the first request is discarded anyway.
	givenUp := t.skipHead && t.disk != nil && t.disk.op == "close"
	if t.failed && !t.disk.harmless() && !givenUp {
		r.Errorf("%s: got success though %s failed", t.key, t.disk.op)
	}
	if t.odd.struck() && t.odd.fatal(r.plan) {
		r.Errorf("%s: got success with %v", t.key, t.odd)
	}
	if !t.rightSize() && len(t.versions) == 1 {
		r.Errorf("%s: got success with an ExpectedSize of %d", t.key, t.expected)
	}
	o := t.future.Object()
	proof := r.plan.proof(t)
	if got := o.Verified != ""; got && proof == never || !got && (proof == always || r.plan.verify == processpool.VerifyRequired) {
		r.Errorf("%s: got Verified %q", t.key, o.Verified)
	}
	r.judgeDemand(t)
	first, end, _ := t.of(o.Size)
	full := processpool.Progress{BytesDone: end - first, BytesTotal: end - first}
	if got := t.future.Progress(); got != full || t.listens && t.last != full {
		r.Errorf("%s: got progress %v and %v at the end, want %v", t.key, got, t.last, full)
	}
	r.judgeChosen(t)
}

func (r *run) judgeError(t *transfer, err error) {
	var transferError *processpool.TransferError
	if !errors.As(err, &transferError) {
		r.Errorf("%s: got a %T", t.key, err)
	}
	if !r.explained(t, err) {
		r.Errorf("%s: got %v, which the plan does not explain", t.key, err)
	}
}

// explained reports whether a fault that has fired can have caused the error.
func (r *run) explained(t *transfer, err error) bool {
	attempts := 2 * int(r.token.Load())
	for _, o := range t.struck {
		mixed := o.do != nil && errors.Is(err, processpool.ErrChecksumMismatch) && !t.object.noETag
		if o.ends != nil && o.ends(err) && !mixed {
			return true
		}
		if o.costs {
			attempts += o.fault.Hits()
		}
	}
	shut := false
	select {
	case <-r.shutting:
		shut = true
	default:
	}
	switch {
	case t.failed && t.disk.errno != 0 && errors.Is(err, t.disk.errno):
		return !t.disk.harmless()
	case t.odd.struck() && t.odd.fatal(r.plan) && errors.Is(err, t.odd.errno):
		return true
	case errors.Is(err, processpool.ErrCanceled):
		return t.over || t.canceled.Load()
	case errors.Is(err, processpool.ErrShutdown):
		return shut // the first request may come before all downloads were asked for
	case errors.Is(err, processpool.ErrWorkerLost):
		return r.lethal.Load() >= 3 || r.unstarted()
	case errors.Is(err, processpool.ErrRetriesExceeded):
		return attempts >= r.plan.attempts || r.plan.outage.tooLong()
	case errors.Is(err, processpool.ErrChecksumMismatch):
		return t.unmet()
	case errors.Is(err, processpool.ErrUnverifiable):
		return r.plan.verify == processpool.VerifyRequired && r.plan.proof(t) != always
	case errors.Is(err, processpool.ErrSizeMismatch):
		_, _, ok := t.of(t.object.size)
		return !t.rightSize() || !ok
	case errors.Is(err, failure.ErrUnexpected):
		return false
	}
	return false
}

// judgeFiles checks the files on disk.
func (r *run) judgeFiles(t *transfer) {
	err := t.future.Result()
	removed, occupied := t.did("directory removed"), t.did("directory at the destination")
	if err == nil && (removed || occupied) {
		return // the download ended before the fault, which then removed its file
	}
	var want []string
	switch {
	case removed:
		if _, err := os.Lstat(t.dir); err == nil {
			r.Errorf("%s: its directory exists again", t.key)
		}
		return
	case t.present == "a link" && (err == nil || occupied):
		want = []string{"file", "target"}
	case t.present != "no file", err == nil, occupied:
		want = []string{"file"}
	}
	published := t.failed && t.disk.op == "syncdir" && !t.disk.harmless()
	if published && t.present == "a link" {
		want = []string{"file", "target"}
	} else if published {
		want = []string{"file"}
	}
	var got []string
	entries, _ := os.ReadDir(t.dir)
	for _, e := range entries {
		if !t.resume || err == nil || !strings.HasSuffix(e.Name(), partial.PartialSuffix) && !strings.HasSuffix(e.Name(), partial.JournalSuffix) {
			got = append(got, e.Name())
		}
	}
	if !slices.Equal(got, want) {
		r.count.Leftovers++
		r.Errorf("%s: got files %q, want %q, result %v", t.key, got, want, err)
	}
	switch {
	case occupied:
		if entries, err := os.ReadDir(t.target); err != nil || len(entries) > 0 {
			r.Errorf("%s: the directory in its place: %v, %v", t.key, entries, err)
		}
	case err == nil || published:
		r.judgeBytes(t)
		r.judgeMode(t)
	case t.open: // after an error its content is undefined
	case t.present == "a file":
		if data, err := os.ReadFile(t.name); string(data) != before {
			r.count.WrongBytes++
			r.Errorf("%s: the destination was changed: %q, %v", t.key, data[:min(len(data), 40)], err)
		}
	}
}

// judgeBytes checks that the file has exactly the bytes of one version.
func (r *run) judgeBytes(t *transfer) {
	o, succeeded := t.future.Object(), t.future.Result() == nil
	var differ []string
	for i, v := range t.versions {
		if succeeded && o.ETag != v.etag && !t.did("wrong ETag") && !t.object.noETag {
			continue
		}
		first, end, _ := t.of(v.size)
		if err := v.in(t.target, first, end); err != nil {
			differ = append(differ, err.Error())
			continue
		}
		if succeeded && (o.Size != v.size || t.pinned && i > 0) {
			r.Errorf("%s: got object %+v, want that of %+v", t.key, o, v)
		}
		return
	}
	r.count.WrongBytes++
	r.Errorf("%s: WRONG BYTES, of no version of ETag %s: %s", t.key, o.ETag, strings.Join(differ, "; "))
}

func (t *transfer) did(name string) bool {
	return slices.ContainsFunc(t.struck, func(o *order) bool { return o.name == name })
}
