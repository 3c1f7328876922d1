//go:build !windows

package osfile

import "syscall"

var (
	ofStorage = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EIO}
	cannot    = []error{syscall.EINVAL, syscall.ENOTTY, syscall.EPERM, syscall.EACCES, syscall.EROFS}
)
