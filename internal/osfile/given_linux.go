package osfile

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Unwritable returns why nothing can be written at the offsets of an open file, or "" if it can.
func Unwritable(f *os.File) (reason string) {
	err := control(f, func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil {
			return err
		}
		if reason = unwritable(flags); reason == "" && flags&unix.O_DIRECT != 0 {
			reason = "is open with O_DIRECT, which takes only bytes that are aligned: open it without"
		}
		// Only files in memory have seals (memfd_create(2)); of others it is an error.
		seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
		if err == nil && reason == "" && seals&(unix.F_SEAL_WRITE|unix.F_SEAL_FUTURE_WRITE) != 0 {
			reason = "is sealed against writing"
		}
		return nil
	})
	if err != nil {
		return Cause(err).Error()
	}
	return reason
}

// DeviceSize returns the size of a block device in bytes, where the system tells.
func DeviceSize(f *os.File) (size int64, known bool) {
	err := control(f, func(fd int) error {
		// Seeking to the end would move the offset that the caller's descriptor shares.
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.BLKGETSIZE64, uintptr(unsafe.Pointer(&size)))
		if errno != 0 {
			return errno
		}
		return nil
	})
	return size, err == nil
}
