// Package openfile opens files so that they can be renamed and removed while they are open, as everywhere
// but on Windows; there one must allow it (FILE_SHARE_DELETE), which package os does not.
package openfile

import (
	"io/fs"
	"os"
)

// Open opens a file to read and write, and follows no symbolic link that somebody has put in its place.
// flag may have os.O_CREATE and os.O_EXCL, which mean what they do for os.OpenFile.
func Open(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return open(name, flag|os.O_RDWR, perm)
}
