//go:build !linux && !darwin

package osfile

import "os"

// preallocate sets the file's size. Whether that allocates blocks depends on the file system.
func (s *System) preallocate(f *os.File, size int64) error { return s.extend(f, size) }
