package sink

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// leastStep is the smallest piece to set aside in one call.
const leastStep = 1 << 20

// preallocate sets aside the blocks of the whole file, so that a full disk is known before the first
// byte is fetched, and gives it its size.
//
// tmpfs gives up with EINTR when a signal comes, and undoes all of the call. Asking for everything
// again may never end where signals come regularly, as they do while a profile is taken
// (https://go.dev/issue/69137). So each interruption halves the piece asked for.
func preallocate(f *os.File, size int64) error {
	piece := size
	for offset := int64(0); offset < size; {
		n := min(piece, size-offset)
		err := sysFallocate(f, offset, n)
		switch {
		case err == nil:
			offset += n
		case errors.Is(err, unix.EINTR):
			piece = max(n/2, leastStep)
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL):
			return sysTruncate(f, size)
		default:
			return err
		}
	}
	return nil
}

func sysFallocate(f *os.File, offset, length int64) error {
	err := before("fallocate", f.Name())
	if err == nil {
		err = control(f, func(fd int) error { return unix.Fallocate(fd, 0, offset, length) })
	}
	return step("fallocate", f.Name(), err)
}
