//go:build !linux && !darwin

package sink

import "os"

// preallocate gives the file its size. Whether that sets anything aside is the file system's affair.
func preallocate(f *os.File, size int64) error { return sysTruncate(f, size) }
