package osfile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// minStep is the smallest number of bytes that one call allocates after an interruption.
const minStep = 1 << 20

// preallocate allocates the blocks of the whole file, which sets its size. The errors that mean
// "not here" are many: EOPNOTSUPP and ENOSYS of fallocate(2), EPERM in AWS Lambda, EINVAL and
// others of FUSE. So all but those of the storage do.
//
// When a signal arrives, tmpfs returns EINTR and undoes the whole call. Repeating the same call may
// never succeed where signals arrive regularly, as they do while a CPU profile is taken
// (https://go.dev/issue/69137). Each interruption therefore halves the number of bytes per call.
func (s *System) preallocate(f *os.File, size int64) error {
	step := size
	for offset := int64(0); offset < size; {
		n := min(step, size-offset)
		err := s.fallocate(f, offset, n)
		switch {
		case err == nil:
			offset += n
		case errors.Is(err, unix.EINTR):
			step = max(n/2, minStep)
		case Optional(err) != nil:
			return err
		default:
			return s.extend(f, size)
		}
	}
	return nil
}

func (s *System) fallocate(f *os.File, offset, length int64) error {
	err := s.before("fallocate", f.Name())
	if err == nil {
		err = control(f, func(fd int) error { return unix.Fallocate(fd, 0, offset, length) })
	}
	return Error("fallocate", f.Name(), err)
}
