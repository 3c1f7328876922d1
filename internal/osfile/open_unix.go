//go:build unix

package osfile

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

func open(name string, flag int, perm fs.FileMode) (*os.File, error) {
	if flag&os.O_CREATE == 0 {
		return openExisting(name, unix.O_RDWR)
	}
	// os.OpenFile would offer the file to the poller, which takes none: five system calls for nothing.
	fd, err := retried(name, flag|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(perm.Perm()))
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// openExisting opens a regular file. Who can write to the directory may have put anything there
// since it was last looked at: a symbolic link is not followed (ELOOP), and a named pipe does not
// block (O_NONBLOCK).
func openExisting(name string, flag int) (*os.File, error) {
	fd, err := retried(name, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == nil {
		var stat unix.Stat_t
		if err = unix.Fstat(fd, &stat); err == nil && stat.Mode&unix.S_IFMT != unix.S_IFREG {
			err = errNotRegular
		}
		if err == nil { // the descriptor goes to workers
			err = unix.SetNonblock(fd, false)
		}
		if err != nil {
			unix.Close(fd)
		}
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

var errNotRegular = errors.New("not a regular file")

// retried opens a file, again where a signal comes first.
func retried(name string, flag int, perm uint32) (fd int, err error) {
	for {
		if fd, err = unix.Open(name, flag, perm); err != unix.EINTR {
			return fd, err
		}
	}
}
