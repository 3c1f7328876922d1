package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/s3processpool/processpool/internal/osfile"
)

// ErrCannotSync means that the file system has no working fsync, and the download needs one.
var ErrCannotSync = errors.New("the file system cannot sync files, which Durable needs: " +
	"use another file system, or download without Durable")

// Prepare makes the file of an earlier download ready for its bytes. info is from Stat of the file,
// replaced describes the file that it will replace, or is nil. A size that is not positive is not
// preallocated.
func (t Target) Prepare(f *os.File, info, replaced fs.FileInfo, size int64) error {
	return t.prepare(f, info, replaced, size, true)
}

func (t Target) prepare(f *os.File, info, replaced fs.FileInfo, size int64, keep bool) error {
	if err := t.openToOwner(f, info, replaced, keep); err != nil {
		return err
	}
	osfile.Mark(f) // after the permissions: an extended attribute needs write permission
	if t.durable {
		if err := explain(t.sys.CanSync(f, info)); err != nil {
			return err
		}
	}
	if size <= 0 {
		return nil
	}
	return t.sys.Preallocate(f, size)
}

// explain adds what to do to the error of an fsync that the file system does not have.
func explain(err error) error {
	var at *fs.PathError
	if !osfile.Cannot(err) || !errors.As(err, &at) {
		return err
	}
	return osfile.Error(at.Op, at.Path, fmt.Errorf("%w: %w", ErrCannotSync, at.Err))
}
