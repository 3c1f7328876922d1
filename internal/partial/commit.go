package partial

import (
	"fmt"
	"time"

	"github.com/s3processpool/processpool/internal/journal"
	"github.com/s3processpool/processpool/internal/osfile"
)

const (
	// minPause is the minimum time between two commits. A slow disk makes it longer, so that at
	// most half of the time is spent in fdatasync.
	minPause = 10 * time.Millisecond
	// syncEvery is the minimum time between two syncs of the journal itself. A power failure loses
	// the records appended since the last one. A killed process loses none.
	syncEvery = time.Second
)

// Add tells the File that a range was written. The File records it in the journal when the range is
// on stable storage, together with all ranges added meanwhile. Add does not block.
//
// If soon is false, the range is recorded with the next one for which soon is true, or by End.
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

// run commits added ranges until Quiesce.
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
		pause := time.NewTimer(max(time.Since(began), minPause))
		select {
		case <-pause.C:
		case <-f.stop:
			pause.Stop()
			return
		}
	}
}

// Quiesce stops the recording of ranges, because the file is complete. End resumes it if the file
// was not published. Quiesce returns the error that Failed was called with, if any.
func (f *File) Quiesce() error {
	f.once.Do(func() { close(f.stop) })
	<-f.stopped
	return f.err
}

// commit commits the file to stable storage and then appends the ranges added before to the
// journal. It returns an error of the partial file: its bytes may be lost although they were
// written, and the system reports that only once (https://wiki.postgresql.org/wiki/Fsync_Errors).
// After an error of the journal the download continues, and commit does nothing any more.
//
// A file system that cannot sync is no error: the ranges are recorded without the promise that they
// survive a loss of power. A resumed download reads them back before it relies on them.
func (f *File) commit() error {
	f.mu.Lock()
	records := f.mu.pending
	f.mu.pending = nil
	f.mu.Unlock()
	if len(records) == 0 || f.broken {
		return nil
	}
	if err := f.unlessUnable(f.Temp.Datasync); err != nil {
		f.broken = true
		return fmt.Errorf("commit the partial file to stable storage: %w", err)
	}
	err := f.journal.Append(records)
	if err == nil {
		f.count += len(records)
		if now := time.Now(); now.Sub(f.synced) >= syncEvery {
			err, f.synced = f.unlessUnable(f.journal.Sync), now
		}
	}
	if err != nil {
		f.broken = true
		f.options.Logger.Warn("cannot write the journal: later ranges are not kept", "error", err)
	}
	return nil
}

// unlessUnable calls sync, but not again once the file system has shown that it cannot sync.
func (f *File) unlessUnable(sync func() error) error {
	if f.unable {
		return nil
	}
	err := sync()
	if !osfile.Cannot(err) {
		return err
	}
	f.unable = true
	f.options.Logger.Warn("the file system cannot sync files: "+
		"after a loss of power the download may not resume where it was", "error", err)
	return nil
}
