//go:build linux

package chaos

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/partial"
)

// spoil is damage to a partial file or its journal between two downloads.
type spoil string

const (
	nothing     spoil = ""
	flippedByte spoil = "a flipped byte"
	flippedWord spoil = "a flipped byte of the journal"
	tornJournal spoil = "a torn journal"
	noJournal   spoil = "no journal"
)

// resumeAgain resumes a download with Resume that has failed, without faults.
func (t *transfer) resumeAgain(r *run) {
	if !t.resume || t.future.Result() == nil || t.did("directory removed") || t.did("directory at the destination") {
		return
	}
	t.damage(r)
	if t.unmet() {
		t.demand = nil
	}
	f := r.d.DownloadFile(context.Background(), bucket, t.key, t.name, func(o *processpool.DownloadOptions) {
		o.Resume = true
		t.set(t, o)
		o.Expect = t.demand.expect(t.versions[0])
		if t.pinned {
			o.ExtraArgs.VersionId = t.versions[0].id
		}
	})
	err := f.Result()
	_, _, inside := t.of(t.versions[len(t.versions)-1].size)
	var transferError *processpool.TransferError
	switch {
	case err == nil:
		r.count.fault("resumed")
		if f.Object().Resumed > 0 {
			r.count.fault("resumed, bytes kept")
		}
		t.future, t.struck = f, nil // for the final judgeFiles of the run
	case !errors.As(err, &transferError):
		r.Errorf("%s: got a %T", t.key, err)
	case t.did("deleted"), errors.Is(err, processpool.ErrChecksumMismatch) && (t.did(lying[0].name) || t.did(lying[1].name)): // the wrong bytes are in the partial file
	case errors.Is(err, processpool.ErrUnverifiable) && r.plan.verify == processpool.VerifyRequired && r.plan.proof(t) != always:
	case errors.Is(err, processpool.ErrSizeMismatch) && !inside:
	case errors.Is(err, processpool.ErrObjectChanged) && t.match && len(t.versions) > 1:
	default:
		r.Errorf("%s: resumed: %v", t.key, err)
	}
}

// damage damages the partial file or its journal, at an offset that depends on the seed.
func (t *transfer) damage(r *run) {
	suffix := map[spoil]string{flippedByte: partial.PartialSuffix, flippedWord: partial.JournalSuffix, tornJournal: partial.JournalSuffix, noJournal: partial.JournalSuffix}[t.spoil]
	names, _ := filepath.Glob(filepath.Join(t.dir, ".*"+suffix))
	if suffix == "" || len(names) != 1 {
		return
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		panic(err)
	}
	at := int(r.plan.seed*7919) % max(len(data), 1)
	switch {
	case t.spoil == noJournal:
		err = os.Remove(names[0])
	case t.spoil == tornJournal:
		err = os.Truncate(names[0], int64(at))
	case len(data) > 0:
		data = slices.Clone(data)
		data[at] ^= 0x10
		err = os.WriteFile(names[0], data, 0o666)
	}
	if err != nil {
		panic(err)
	}
	r.count.fault("kept: " + string(t.spoil))
}
