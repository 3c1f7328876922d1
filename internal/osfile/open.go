package osfile

import (
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
