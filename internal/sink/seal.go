package sink

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/s3processpool/processpool/internal/osfile"
)

// ErrWriters means that another process still has the temporary file open for writing. It could
// change the file after it was published.
var ErrWriters = errors.New("another process still has the file open for writing: a worker that kept " +
	"the file, or a program that was started meanwhile and has its descriptors")

// The pauses between two looks of Seal grow from the first to the last.
const firstPause, lastPause = 100 * time.Microsecond, 100 * time.Millisecond

// Seal ends the writing: it closes the file, opens it again for reading only, and waits until no
// process has it open for writing. All jobs that write to the file must have ended. If a process
// keeps the file open, Seal returns an error that matches ErrWriters, after WritersWait of package
// osfile. stop may be nil; Seal gives up, with the same error, when it returns true.
//
// Where the file system or the system cannot tell who writes, Seal trusts that the workers have
// closed the file. Publish calls Seal if the caller has not.
func (t *Temp) Seal(stop func() bool) error {
	t.second.close()
	if !osfile.TellsWriters || t.sealed {
		return nil
	}
	if !t.reading {
		if err := t.reopen(); err != nil {
			return err
		}
	}
	wait := t.target.sys.WritersWait()
	deadline := time.Now().Add(wait)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := t.target.sys.NoWriters(t.file, t.info)
		switch {
		case err == nil:
			t.sealed = true
			return nil
		case !errors.Is(err, osfile.ErrWriters):
			return err
		case time.Now().After(deadline), stop != nil && stop():
			return osfile.Error("publish", t.Name(), fmt.Errorf("%w (waited %v)", ErrWriters, wait))
		}
		time.Sleep(pause)
	}
}

// reopen replaces the open file by one that can only read.
func (t *Temp) reopen() error {
	if !t.ours() {
		return osfile.Error("publish", t.Name(), ErrReplaced)
	}
	reader, err := t.target.sys.Reader(t.Name())
	if err != nil {
		return err
	}
	info, err := reader.Stat()
	if err == nil && !os.SameFile(info, t.info) {
		err = osfile.Error("publish", t.Name(), ErrReplaced)
	}
	if err == nil {
		// Network file systems report a failed write on close.
		err = t.target.sys.Close(t.file)
	}
	if err != nil {
		reader.Close()
		return err
	}
	t.file, t.reading = reader, true
	osfile.Lock(t.file) // the lock has gone with the other one
	return nil
}
