//go:build linux || darwin

package osfile

import (
	"encoding/hex"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const keepsMarks = true

// markOf returns the attribute's value: a hash of the last element of the file's path, because ext4
// has no room for a long value beside the inode.
func markOf(f *os.File) string {
	h := fnv.New64a()
	io.WriteString(h, filepath.Base(f.Name()))
	return hex.EncodeToString(h.Sum(nil))
}

func mark(f *os.File) {
	control(f, func(fd int) error { return unix.Fsetxattr(fd, attribute, []byte(markOf(f)), 0) })
}

func unmark(f *os.File) {
	control(f, func(fd int) error { return unix.Fremovexattr(fd, attribute) })
}

func marked(f *os.File) bool {
	value, err := valueOf(f)
	return err == nil && value == markOf(f)
}

func unmarked(f *os.File) bool {
	value, err := valueOf(f)
	return err == noAttribute || err == unix.ERANGE || err == nil && value != markOf(f)
}

func bare(f *os.File) bool {
	names := make([]byte, 4<<10)
	var n int
	err := control(f, func(fd int) (err error) {
		n, err = unix.Flistxattr(fd, names)
		return err
	})
	return err == nil && !strings.Contains("\x00"+string(names[:n]), "\x00user.")
}

func valueOf(f *os.File) (string, error) {
	value := make([]byte, 16)
	var n int
	err := control(f, func(fd int) (err error) {
		n, err = unix.Fgetxattr(fd, attribute, value)
		return err
	})
	return string(value[:max(n, 0)]), err
}
