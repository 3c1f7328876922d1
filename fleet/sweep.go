package fleet

import (
	"context"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/s3processpool/processpool/internal/partial"
)

// leftovers are where workers that were killed may have left files: temporary files of small objects,
// which no download comes back for, and partial files that another worker could not take over.
type leftovers struct {
	mu struct {
		sync.Mutex
		dirs  map[string]bool
		files map[string]bool
	}
}

// maxLeftovers limits the memory for them, to about 10 MiB each.
const maxLeftovers = 1 << 16

// note remembers the places of a message that has ended.
func (l *leftovers) note(h *held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.dirs == nil {
		l.mu.dirs, l.mu.files = map[string]bool{}, map[string]bool{}
	}
	for _, t := range h.tasks {
		if t.file == "" {
			continue
		}
		if len(l.mu.dirs) < maxLeftovers {
			l.mu.dirs[filepath.Dir(t.file)] = true
		}
		if t.object.Size > smallObject && (h.delivered > 1 || t.skipped || t.err != nil) && len(l.mu.files) < maxLeftovers {
			l.mu.files[t.file] = true
		}
	}
}

// remove removes the files at the noted places that were not written to lately, and reports whether
// there are later ones.
func (l *leftovers) remove(silence time.Duration) (more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for dir := range l.mu.dirs {
		more = clean(dir, partial.Which{Temporary: true}, silence) || more
	}
	for file := range l.mu.files {
		_ = partial.CleanOf(file)
	}
	return more
}

// clean removes files that are the library's by their mark, that nobody has open, and that were not
// written to lately. Where locks do not hold between machines, the time tells what is in use. It reports
// whether there are later ones.
func clean(dir string, which partial.Which, silence time.Duration) (more bool) {
	now := time.Now()
	which.Before = now.Add(-silence)
	_, _ = partial.Sweep(dir, which)
	which.Before, which.Dry = now, true
	later, _ := partial.Sweep(dir, which)
	return len(later) > 0
}

// sweep removes what workers that were lost have left, when the run has ended. It waits until that
// was not written to for half of AckWait.
func (w *worker) sweep(ctx context.Context) {
	silence := w.ackWait / 2
	deadline := time.Now().Add(2 * silence)
	lost := w.lost(ctx)
	for {
		more := w.leftovers.remove(silence)
		if lost {
			more = w.walk(silence) || more
		}
		if !more || time.Now().After(deadline) || pause(ctx, silence/8) != nil {
			return
		}
	}
}

// lost reports whether another worker of the run may have been killed. What it was about to
// download may have gone to another machine: then its files are nowhere noted. Reports are compared by
// the server's clock.
func (w *worker) lost(ctx context.Context) bool {
	w.run.tell(ctx, w.id, w.report())
	var now, oldest time.Time
	err := w.run.reports(ctx, func(created time.Time, one Report) {
		if created.After(now) {
			now = created
		}
		if !one.Ended && (oldest.IsZero() || created.Before(oldest)) {
			oldest = created
		}
	})
	if err != nil {
		return true
	}
	// Its messages went to others after more than half of AckWait, and the run has ended since.
	return now.Sub(oldest) > min(w.ackWait/2, lately)
}

// walk removes what was left in all of the directory since the run was created, and reports whether there
// is more. Partial files of others are among it if they have failed meanwhile: they begin anew. Empty files
// are among it if they have the name of a temporary one, since a killed worker has no time to mark it.
func (w *worker) walk(silence time.Duration) (more bool) {
	const skew = 10 * time.Minute // between the clocks of the server and of this machine
	since := w.run.work.CachedInfo().Created.Add(-skew)
	_ = filepath.WalkDir(w.o.Dir, func(dir string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case e.IsDir():
			more = clean(dir, partial.Which{After: since, Empty: true}, silence) || more
		}
		return nil
	})
	return more
}
