//go:build !linux

package sink

import "os"

func datasync(f *os.File) error { return f.Sync() }
