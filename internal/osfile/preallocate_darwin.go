package osfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// preallocate allocates the blocks of the whole file, which leaves its size alone, and then sets
// its size. File systems other than APFS and HFS+ do not support F_PREALLOCATE.
func (s *System) preallocate(f *os.File, size int64) error {
	if err := Optional(s.fallocate(f, size)); err != nil {
		return err
	}
	return s.extend(f, size)
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
