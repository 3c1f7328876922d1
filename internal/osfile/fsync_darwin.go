package osfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// fsync asks the drive to write its cache, too (F_FULLFSYNC, which is what os.File.Sync does).
// Network file systems and some drives do not support that: there it does what fsync(2) can.
func fsync(f *os.File) error {
	err := f.Sync()
	if Cannot(err) {
		return control(f, unix.Fsync)
	}
	return err
}
