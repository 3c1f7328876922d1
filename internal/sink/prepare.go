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

// Prepare makes a new file, or that of an earlier download, ready for its bytes. info is from Stat
// of the file, replaced describes the file that it will replace, or is nil. A size that is not
// positive is not preallocated.
func (t Target) Prepare(f *os.File, info, replaced fs.FileInfo, size int64) error {
	if err := t.openToOwner(f, info, replaced); err != nil {
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

// openToOwner gives the owner read and write permission while the file is incomplete, so that a
// later process of the same user can resume it, whatever the permissions of the destination. The
// others have what they will have. Publish sets the final permissions.
//
// Where the file system has no permissions to set, the file stays as it is, if that is not more
// than wanted.
func (t Target) openToOwner(f *os.File, info, replaced fs.FileInfo) error {
	want := info.Mode().Perm()
	if replaced != nil {
		want = replaced.Mode().Perm()
	}
	return t.setMode(f, info.Mode().Perm(), want|osfile.OwnerAccess)
}

// setMode changes a file's permissions. An error of chmod is an error only if the file would keep
// permissions that it must not have, or if the storage is broken.
func (t Target) setMode(f *os.File, have, want fs.FileMode) error {
	more, less := (have&^want)&modeBits, (want&^have)&modeBits
	if more|less == 0 {
		return nil
	}
	err := t.sys.Chmod(f, want)
	switch {
	case err == nil, osfile.OfStorage(err):
		return err
	case more != 0:
		return osfile.Error("chmod", f.Name(), fmt.Errorf("the file's mode %#o cannot be narrowed to %#o, "+
			"that of the file it replaces: %w", have, want, osfile.Cause(err)))
	}
	return nil
}

// explain adds what to do to the error of an fsync that the file system does not have.
func explain(err error) error {
	var at *fs.PathError
	if !osfile.Cannot(err) || !errors.As(err, &at) {
		return err
	}
	return osfile.Error(at.Op, at.Path, fmt.Errorf("%w: %w", ErrCannotSync, at.Err))
}
