//go:build unix

package osfile

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Duplicate returns a second descriptor of an open file, which is closed when a program is started.
func Duplicate(f *os.File) (*os.File, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	var dupErr error
	if err := conn.Control(func(old uintptr) { fd, dupErr = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return nil, Error("dup", f.Name(), fs.ErrClosed) // what Control says of it is no error of package os
	}
	if dupErr != nil {
		return nil, Error("dup", f.Name(), dupErr)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// unwritable returns why a file that is open with these flags cannot be written to at offsets.
func unwritable(flags int) string {
	switch {
	case flags&unix.O_ACCMODE == unix.O_RDONLY:
		return "is open for reading only"
	case flags&unix.O_APPEND != 0:
		return "is open for appending (O_APPEND), so that every write would go to its end"
	}
	return ""
}
