//go:build unix && !linux

package osfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// Unwritable returns why nothing can be written at the offsets of an open file, or "" if it can.
func Unwritable(f *os.File) (reason string) {
	conn, err := f.SyscallConn()
	if err != nil {
		return err.Error()
	}
	controlErr := conn.Control(func(fd uintptr) {
		var flags int
		if flags, err = unix.FcntlInt(fd, unix.F_GETFL, 0); err == nil {
			reason = unwritable(flags)
		}
	})
	switch {
	case controlErr != nil:
		return controlErr.Error()
	case err != nil:
		return err.Error()
	}
	return reason
}

// DeviceSize returns false: the writes find out.
func DeviceSize(*os.File) (size int64, known bool) { return 0, false }
