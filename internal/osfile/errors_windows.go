package osfile

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// The first errors of each list are Windows' own; those of package syscall are for tests.
var (
	ofStorage = []error{
		windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED,
		windows.ERROR_FILE_TOO_LARGE, windows.ERROR_IO_DEVICE, windows.ERROR_CRC,
		syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EIO,
	}
	cannot = []error{
		windows.ERROR_INVALID_FUNCTION, windows.ERROR_INVALID_PARAMETER,
		windows.ERROR_ACCESS_DENIED, windows.ERROR_WRITE_PROTECT,
		syscall.EINVAL, syscall.EPERM, syscall.EROFS,
	}
)
