//go:build unix && !linux

package osfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// Unwritable returns why nothing can be written at the offsets of an open file, or "" if it can.
func Unwritable(f *os.File) (reason string) {
	err := control(f, func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err == nil {
			reason = unwritable(flags)
		}
		return err
	})
	if err != nil {
		return Cause(err).Error()
	}
	return reason
}

// DeviceSize returns false: the writes find out.
func DeviceSize(*os.File) (size int64, known bool) { return 0, false }
