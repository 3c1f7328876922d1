//go:build unix

package fence

import (
	"os"

	"golang.org/x/sys/unix"
)

// unused is how many free descriptors in a row Enter looks at before it takes all that follow for
// foreign.
const unused = 64

// closeForeign closes the descriptors from first on that this process has inherited. They have no
// close-on-exec flag, or they would be closed; those that Go has opened meanwhile have it, and have
// the lowest numbers that were free (open(2)).
func closeForeign(first int) {
	for fd, free := first, 0; ; fd++ {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		switch {
		case err != nil:
			if free++; free == unused {
				closeFrom(fd)
				return
			}
		case flags&unix.FD_CLOEXEC == 0:
			unix.Close(fd)
		}
	}
}

// closeEach closes the descriptors from first on, as far as an application is likely to have any.
func closeEach(first int) {
	last := 1 << 16
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil && uint64(limit.Cur) < uint64(last) {
		last = int(limit.Cur)
	}
	for fd := first; fd < last; fd++ {
		unix.Close(fd)
	}
}

// differs reports whether the process has other users' rights than who started it.
func differs() bool { return os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() }
