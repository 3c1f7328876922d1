//go:build !linux

package osfile

import "os"

// WriteBack does nothing on this system. The fsync at the end writes all of the file.
func WriteBack(_ *os.File, offset, n int64) {}
