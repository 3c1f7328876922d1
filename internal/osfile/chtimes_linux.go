package osfile

import (
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// chtimes is futimens(3): utimensat(2) without a name.
func chtimes(f *os.File, modified time.Time) error {
	mtime, err := unix.TimeToTimespec(modified)
	if err != nil {
		return err
	}
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, mtime}
	return control(f, func(fd int) error {
		_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
}
