package fleet

import (
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

// sweep removes what is left when the run has ended: files that are the library's by their mark, that
// nobody has open, and that were not written to for as long as a worker may be silent.
func (l *leftovers) sweep(silence time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for dir := range l.mu.dirs {
		_, _ = partial.CleanTemporary(dir, time.Now().Add(-silence))
	}
	for file := range l.mu.files {
		_ = partial.CleanOf(file)
	}
}
