package sink

import (
	"fmt"
	"io/fs"
	"os"

	"github.com/s3processpool/processpool/internal/osfile"
)

// newFile are the permissions of a new file, before the umask.
const newFile fs.FileMode = 0o666

// permOf returns the permissions of a file that replaces another, or none (nil): those of WithMode, if
// there are any. fresh are those of a new file. A file of the user's own passes its permissions on. Another user may have put his file
// there for ours to get its permissions: of those, ours gets only what a new file would have, too.
func (t Target) permOf(replaced fs.FileInfo, fresh fs.FileMode) fs.FileMode {
	switch {
	case t.mode != 0:
		return t.mode
	case replaced == nil:
		return fresh
	case osfile.Owned(replaced):
		return replaced.Mode().Perm()
	}
	return fresh & (replaced.Mode().Perm() | osfile.OwnerAccess)
}

// openToOwner gives the owner read and write permission while the file is incomplete, so that a
// later process of the same user can resume it, whatever the permissions of the destination. The
// others have what they will have, except that nobody else may write to a file that is to be kept.
// Publish sets the final permissions.
//
// Where the file system has no permissions to set, the file stays as it is, if that is not more
// than wanted.
func (t Target) openToOwner(f *os.File, info, replaced fs.FileInfo, keep bool) error {
	have := info.Mode().Perm()
	want := t.permOf(replaced, have) | osfile.OwnerAccess
	if keep && want&osfile.OthersWrite&modeBits != 0 {
		// Where this fails, a later download does not trust the file and begins afresh.
		closed := want &^ osfile.OthersWrite
		if err := t.setMode(f, have, closed); err == nil || osfile.OfStorage(err) {
			return err
		}
	}
	return t.setMode(f, have, want)
}

// setMode changes a file's permissions. An error of chmod is an error only if the file would keep
// permissions that it must not have, if they are those of WithMode, or if the storage is broken.
func (t Target) setMode(f *os.File, have, want fs.FileMode) error {
	more, less := (have&^want)&modeBits, (want&^have)&modeBits
	if more|less == 0 {
		return nil
	}
	err := t.sys.Chmod(f, want)
	switch {
	case err == nil, osfile.OfStorage(err):
		return err
	case t.mode != 0:
		return osfile.Error("chmod", f.Name(), fmt.Errorf("the file's mode %#o cannot be made %#o: %w", have, want, osfile.Cause(err)))
	case more != 0:
		return osfile.Error("chmod", f.Name(), fmt.Errorf("the file's mode %#o cannot be narrowed to %#o, "+
			"that of the file it replaces: %w", have, want, osfile.Cause(err)))
	}
	return nil
}
