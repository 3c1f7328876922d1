//go:build !linux

package osfile

import "os"

func datasync(f *os.File) error { return fsync(f) }
