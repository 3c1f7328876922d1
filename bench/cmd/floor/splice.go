package main

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

func (c *conn) makePipe() error {
	if err := unix.Pipe2(c.pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	// The kernel refuses more than /proc/sys/fs/pipe-max-size. The default size works, too.
	unix.FcntlInt(uintptr(c.pipe[0]), unix.F_SETPIPE_SZ, bufferSize)
	return nil
}

// splice moves the body through a pipe, which holds only references to pages.
func (c *conn) splice(file int, offset, left int64) error {
	for left > 0 {
		n, err := splice(c.fd, nil, c.pipe[1], nil, min(left, bufferSize))
		if err != nil {
			return err
		}
		left -= n
		for n > 0 {
			m, err := splice(c.pipe[0], nil, file, &offset, n)
			if err != nil {
				return err
			}
			n -= m
		}
	}
	return nil
}

func splice(from int, fromOffset *int64, to int, toOffset *int64, n int64) (int64, error) {
	for {
		m, _, errno := unix.RawSyscall6(unix.SYS_SPLICE, uintptr(from), uintptr(unsafe.Pointer(fromOffset)),
			uintptr(to), uintptr(unsafe.Pointer(toOffset)), uintptr(n), unix.SPLICE_F_MOVE|unix.SPLICE_F_MORE)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, errno
		case m == 0:
			return 0, errors.New("the connection was closed early")
		default:
			return int64(m), nil
		}
	}
}
