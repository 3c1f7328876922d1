//go:build !darwin

package osfile

import "os"

func fsync(f *os.File) error { return f.Sync() }
