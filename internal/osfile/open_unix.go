//go:build unix

package osfile

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

func open(name string, flag int, perm fs.FileMode) (*os.File, error) {
	if flag&os.O_CREATE != 0 {
		return os.OpenFile(name, flag|os.O_EXCL|unix.O_NOFOLLOW, perm)
	}
	return openExisting(name, unix.O_RDWR)
}

// openExisting opens a regular file. Who can write to the directory may have put anything there
// since it was last looked at: a symbolic link is not followed (ELOOP), and a named pipe does not
// block (O_NONBLOCK).
func openExisting(name string, flag int) (*os.File, error) {
	fd, err := openNonblock(name, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC)
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

func openNonblock(name string, flag int) (fd int, err error) {
	for {
		if fd, err = unix.Open(name, flag, 0); err != unix.EINTR {
			return fd, err
		}
	}
}
