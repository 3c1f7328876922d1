package osfile

import (
	"errors"
	"io/fs"
	"os"
)

// Open opens a file for reading and writing. flag may have os.O_CREATE and os.O_EXCL, which mean
// what they mean for os.OpenFile. Open does not follow a symbolic link at the end of name. The
// descriptor is closed on exec, as those of package os are.
//
// The file can be renamed and removed while it is open. On Windows the opener must allow that
// (FILE_SHARE_DELETE), and package os does not.
func Open(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return open(name, flag|os.O_RDWR, perm)
}

// OpenOwn is like Open for a file that this library has created and may have left without read or
// write permission for its owner: it gives the owner both and opens the file. Before that, the file
// cannot be opened except by root.
func OpenOwn(name string, flag int, perm fs.FileMode) (*os.File, error) {
	f, err := Open(name, flag, perm)
	if errors.Is(err, fs.ErrPermission) && giveOwner(name) {
		return Open(name, flag, perm)
	}
	return f, err
}

// OwnerAccess is what the owner of a temporary file, a partial file and a journal may always do:
// read it and write to it.
const OwnerAccess fs.FileMode = 0o600

func giveOwner(name string) bool {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&OwnerAccess == OwnerAccess {
		return false
	}
	return os.Chmod(name, info.Mode().Perm()|OwnerAccess) == nil // only the owner may
}
