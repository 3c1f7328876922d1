package osfile

import (
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// widen adds the permissions of OwnerAccess to the file that info is from. It goes by a descriptor,
// which needs no permission (O_PATH), so that what another user puts in the place of the file keeps
// its permissions. chmod(2) of /proc/self/fd is how a file is changed by such a descriptor before
// Linux 6.6 (https://man7.org/linux/man-pages/man2/open.2.html, O_PATH).
func widen(name string, info fs.FileInfo) bool {
	fd, err := retried(name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	if opened, err := f.Stat(); err != nil || !os.SameFile(opened, info) {
		return false
	}
	return unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), uint32(info.Mode().Perm()|OwnerAccess)) == nil
}
