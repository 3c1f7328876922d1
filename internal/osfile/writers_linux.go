package osfile

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const tellsWriters = true

func openReader(name string) (*os.File, error) { return openExisting(name, unix.O_RDONLY) }

// noWriters takes a read lease, which the kernel refuses with EAGAIN while the file is open for
// writing anywhere, and releases it at once
// (https://man7.org/linux/man-pages/man2/F_SETLEASE.2const.html). Leases are for the owner of a file,
// and some file systems have none (EINVAL).
//
// Somebody who opens the file for writing in between breaks the lease, and the kernel sends its
// holder a signal, SIGIO by default, which ends a program without a handler. SIGURG ends none, and
// Go's runtime expects it at any time.
func noWriters(f *os.File, created fs.FileInfo) error {
	err := control(f, func(fd int) error {
		if remote(fd) {
			return unix.EINVAL
		}
		unix.FcntlInt(uintptr(fd), unix.F_SETSIG, int(unix.SIGURG))
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK); err != nil {
			return err
		}
		_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK)
		return err
	})
	switch err {
	case unix.EAGAIN:
		return ErrWriters
	case unix.EACCES:
		// A worker of root's may have given the file away, to have the lease refused.
		if now, statErr := f.Stat(); statErr != nil || !sameOwner(now, created) {
			return ErrWriters
		}
	}
	return err
}

// remote reports whether an open file is on a network file system whose clients take a lease to the
// server, and return EAGAIN when that gives none, whatever the reason: NFS and SMB
// (nfs4_proc_setlease in https://github.com/torvalds/linux/blob/v6.12/fs/nfs/nfs4proc.c, cifs_setlease in
// https://github.com/torvalds/linux/blob/v6.12/fs/smb/client/cifsfs.c).
func remote(fd int) bool {
	const smb2 = 0xfe534d42
	var s unix.Statfs_t
	if unix.Fstatfs(fd, &s) != nil {
		return true
	}
	switch uint32(s.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, smb2:
		return true
	}
	return false
}

// sameOwner reports whether two files, or one file at two times, belong to one user.
func sameOwner(a, b fs.FileInfo) bool {
	x, ok := a.Sys().(*syscall.Stat_t)
	y, also := b.Sys().(*syscall.Stat_t)
	return ok && also && x.Uid == y.Uid
}
