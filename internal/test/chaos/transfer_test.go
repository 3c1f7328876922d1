//go:build linux

package chaos

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/s3processpool/processpool"
)

// live is the state of a transfer, which is not part of the plan.
type live struct {
	dir, name string // its own directory, and the destination in it
	target    string // the file: the destination, or the target of the link there
	future    *processpool.Future
	submitted chan struct{} // closed when future is set
	due       chan struct{} // closed when the transfer must be submitted
	stop      context.CancelFunc
	last      processpool.Progress
	badStep   atomic.Bool

	mu struct {
		sync.Mutex
		versions []version
		calls    map[string]int
	}
	versions []version // for use after the end of all downloads
	failed   bool      // the fault in disk has fired
	canceled atomic.Bool
	struck   []*order // faults that have fired
}

const before = "what was there before"

func (t *transfer) prepare(r *run) {
	t.dir = filepath.Join(r.TempDir(), "directory")
	t.name, t.target = filepath.Join(t.dir, "file"), filepath.Join(t.dir, "file")
	t.submitted, t.due, t.mu.calls = make(chan struct{}), make(chan struct{}), map[string]int{}
	err := os.Mkdir(t.dir, 0o777)
	if t.present == "a link" {
		t.target = filepath.Join(t.dir, "target")
		err = os.Symlink("target", t.name)
	}
	if t.present == "a file" {
		err = os.WriteFile(t.name, []byte(before), 0o644)
	}
	if t.mode != 0 && err == nil {
		err = os.Chmod(t.name, t.mode) // WriteFile is subject to the umask
	}
	if t.open && err == nil {
		t.file, err = os.OpenFile(t.name, os.O_RDWR, 0)
		r.Cleanup(func() { t.file.Close() })
	}
	if err != nil {
		panic(err)
	}
	t.put(r, t.object.size)
	for _, o := range t.orders {
		o.inject(r, t)
	}
	if t.after > 0 {
		r.at(t.after, func() { close(t.due) })
	}
}

// put stores a new version with other content.
func (t *transfer) put(r *run, size int64) {
	v := t.object.put(r.origin, t.key, r.plan.seed<<16+r.serial.Add(1), size)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.versions = append(t.mu.versions, v)
	t.versions = t.mu.versions
}

func (t *transfer) submit(r *run) {
	ctx, cancel := context.WithCancel(context.Background())
	t.stop = cancel
	r.Cleanup(cancel)
	if t.over {
		cancel()
	}
	options := func(o *processpool.DownloadOptions) {
		t.set(t, o)
		if t.expected >= 0 {
			o.ExpectedSize = &t.expected
		}
		o.SkipHead, o.Resume = t.skipHead, t.resume
		o.Expect = t.demand.expect(t.versions[0])
		if t.pinned {
			o.ExtraArgs.VersionId = t.versions[0].id
		}
		if t.listens {
			o.OnProgress = t.progress
		}
	}
	if t.open {
		t.future = r.d.DownloadTo(ctx, bucket, t.key, t.file, options)
	} else {
		t.future = r.d.DownloadFile(ctx, bucket, t.key, t.name, options)
	}
	r.attempts.submitted(t.future)
	close(t.submitted)
}

func (t *transfer) progress(p processpool.Progress) {
	t.last = p
	if p.BytesDone < 0 || p.BytesDone > p.BytesTotal {
		t.badStep.Store(true)
	}
}

func (t *transfer) cancel() {
	<-t.submitted
	t.canceled.Store(true)
	if t.byContext {
		t.stop()
	} else {
		t.future.Cancel()
	}
}

// systemCall returns the planned error for the planned call, or cancels the download during the
// call.
func (t *transfer) systemCall(op string) error {
	if t.disk == nil || t.disk.op != op {
		return t.oddCall(op)
	}
	t.mu.Lock()
	t.mu.calls[op]++
	now := t.mu.calls[op] == t.disk.nth
	t.failed = t.failed || now
	t.mu.Unlock()
	switch {
	case !now:
		return t.oddCall(op)
	case t.disk.errno == 0:
		t.cancel()
		return nil
	}
	return t.disk.errno
}

func (t *transfer) removeDirectory() {
	if err := os.RemoveAll(t.dir); err != nil {
		panic(err)
	}
}

func (t *transfer) makeDirectory() {
	os.Remove(t.target)
	if err := os.Mkdir(t.target, 0o777); err != nil {
		panic(err)
	}
}

// strikes returns the faults that have fired.
func (t *transfer) strikes() (struck []*order) {
	for _, o := range t.orders {
		if o.fault.Hits() > 0 {
			struck = append(struck, o)
		}
	}
	return struck
}
