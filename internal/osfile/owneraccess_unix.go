//go:build unix && !linux

package osfile

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// widen adds the permissions of OwnerAccess to the file that info is from.
func widen(name string, info fs.FileInfo) bool {
	mode := uint32(info.Mode().Perm() | OwnerAccess)
	return unix.Fchmodat(unix.AT_FDCWD, name, mode, unix.AT_SYMLINK_NOFOLLOW) == nil
}
