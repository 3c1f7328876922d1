package osfile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// preallocate allocates the blocks of the whole file, which leaves its size alone, and then sets
// its size. Of the first call only a full disk is an error: file systems other than APFS and HFS+
// do not support F_PREALLOCATE.
func (s *System) preallocate(f *os.File, size int64) error {
	if err := s.fallocate(f, size); errors.Is(err, unix.ENOSPC) {
		return err
	}
	return s.Truncate(f, size)
}

func (s *System) fallocate(f *os.File, size int64) error {
	err := s.before("fallocate", f.Name())
	if err == nil {
		err = control(f, func(fd int) error {
			return unix.FcntlFstore(uintptr(fd), unix.F_PREALLOCATE, &unix.Fstore_t{
				Flags:   unix.F_ALLOCATEALL, // all or nothing, in any number of extents
				Posmode: unix.F_PEOFPOSMODE,
				Length:  size,
			})
		})
	}
	return Error("fallocate", f.Name(), err)
}
