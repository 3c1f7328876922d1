package partial

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/s3processpool/processpool/internal/journal"
)

const (
	// leastPause is the least time between two commits; a slow disk makes it longer, so that at
	// most half of the time is spent in fdatasync.
	leastPause = 10 * time.Millisecond
	// syncEvery is how often the journal itself is brought to stable storage. A loss of power costs the
	// records since; a killed process none.
	syncEvery = time.Second
)

// Add notes that a range is in the file. It is written down when it is on stable storage, together with
// whatever was added meanwhile. Add does not block.
//
// What is not to be written down soon is written down with the next that is, or at the End.
func (f *File) Add(r journal.Record, soon bool) {
	f.mu.Lock()
	f.mu.pending = append(f.mu.pending, r)
	f.mu.Unlock()
	if !soon {
		return
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// run commits what is added until Quiesce.
func (f *File) run() {
	defer close(f.stopped)
	for {
		select {
		case <-f.wake:
		case <-f.stop:
			return
		}
		began := time.Now()
		if f.err = f.commit(); f.err != nil {
			f.options.Failed(f.err)
			return
		}
		pause := time.NewTimer(max(time.Since(began), leastPause))
		select {
		case <-pause.C:
		case <-f.stop:
			pause.Stop()
			return
		}
	}
}

// Quiesce stops writing down, for the file is complete; only an End that finds it not published takes it
// up again. It returns the error that Failed was told, if there was one.
func (f *File) Quiesce() error {
	f.once.Do(func() { close(f.stop) })
	<-f.stopped
	return f.err
}

// commit brings the file to stable storage, then writes down what had been added before. An error is the
// file's: its bytes may be lost though they were written, and the system tells of it once
// (https://wiki.postgresql.org/wiki/Fsync_Errors). A journal that fails only takes no more.
func (f *File) commit() error {
	f.mu.Lock()
	records := f.mu.pending
	f.mu.pending = nil
	f.mu.Unlock()
	if len(records) == 0 || f.broken {
		return nil
	}
	if err := f.Temp.Datasync(); err != nil {
		f.broken = true
		return fmt.Errorf("bring the partial file to stable storage: %w", err)
	}
	err := f.journal.Append(records)
	if err == nil {
		f.count += len(records)
		if now := time.Now(); now.Sub(f.synced) >= syncEvery {
			err, f.synced = f.journal.Sync(), now
		}
	}
	if err != nil {
		f.broken = true
		f.options.Log(slog.LevelWarn, "the journal takes no more: what arrives from now on is not kept", "error", err)
	}
	return nil
}
