//go:build unix

package osfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// Duplicate returns a second descriptor of an open file, which is closed when a program is started.
func Duplicate(f *os.File) (*os.File, error) {
	var fd int
	err := control(f, func(old int) (err error) {
		fd, err = unix.FcntlInt(uintptr(old), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, Error("dup", f.Name(), err)
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
