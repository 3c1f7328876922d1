package osfile

import (
	"errors"
	"io/fs"
	"os"
)

// Open opens a regular file for reading and writing. With os.O_CREATE in flag it creates the file,
// and returns fs.ErrExist if the name is in use; it never opens one that exists. Open does not
// follow a symbolic link at the end of name, and does not wait for the other end of a named pipe.
// The descriptor is closed on exec, as those of package os are.
//
// The file can be renamed and removed while it is open. On Windows the opener must allow that
// (FILE_SHARE_DELETE), and package os does not.
func Open(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return open(name, flag|os.O_RDWR, perm)
}

// OpenOwn is like Open for a file that this library has created and may have left without read or
// write permission for its owner: it gives the owner both and opens the file. Before that, the file
// cannot be opened except by root. It changes no file that is Foreign.
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
	if err != nil || Foreign(info) != nil || info.Mode()&OwnerAccess == OwnerAccess {
		return false
	}
	return widen(name, info)
}
