//go:build linux || darwin

package sink

import (
	"os"

	"golang.org/x/sys/unix"
)

func mark(f *os.File) {
	control(f, func(fd int) error { return unix.Fsetxattr(fd, attribute, []byte("unfinished"), 0) })
}

func unmark(f *os.File) {
	control(f, func(fd int) error { return unix.Fremovexattr(fd, attribute) })
}

// Marked tells whether the file is a download that this package made and did not publish.
func Marked(f *os.File) bool {
	value := make([]byte, 16)
	var n int
	err := control(f, func(fd int) (err error) {
		n, err = unix.Fgetxattr(fd, attribute, value)
		return err
	})
	return err == nil && string(value[:n]) == "unfinished"
}
