package sink

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// preallocate asks for the blocks of the whole file, which leaves its size alone, and then gives it its
// size. Only a full disk counts: file systems other than APFS and HFS+ know no F_PREALLOCATE.
func preallocate(f *os.File, size int64) error {
	if err := sysFallocate(f, size); errors.Is(err, unix.ENOSPC) {
		return err
	}
	return sysTruncate(f, size)
}

func sysFallocate(f *os.File, size int64) error {
	err := before("fallocate", f.Name())
	if err == nil {
		err = control(f, func(fd int) error {
			// All or nothing, in as many extents as it takes.
			return unix.FcntlFstore(uintptr(fd), unix.F_PREALLOCATE, &unix.Fstore_t{
				Flags:   unix.F_ALLOCATEALL,
				Posmode: unix.F_PEOFPOSMODE,
				Length:  size,
			})
		})
	}
	return step("fallocate", f.Name(), err)
}
