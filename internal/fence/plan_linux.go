package fence

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// newest is the newest version of Landlock whose rights this package knows.
const newest = 7

// complete is the first version that has all that is promised: rules for files, for TCP ports (4),
// and scopes for abstract Unix sockets and signals (6).
const complete = 6

func (p *Plan) probe() {
	p.probeLandlock()
	p.probeSeccomp()
}

func (p *Plan) probeLandlock() {
	version, err := landlockVersion()
	if most := p.options.Pretend.Landlock; most < 0 {
		err = unix.ENOSYS
	} else if most > 0 && err == nil {
		version = min(version, most)
	}
	if err == nil {
		p.landlock = min(version, newest)
		// A sandbox around the application may allow the question and not the deed.
		err = OnThread(func() error { return p.Restrict() })
	}
	switch {
	case errors.Is(err, unix.ENOSYS):
		p.landlock = 0
		p.lacks("Landlock: the kernel has none (5.13 and newer have it), or a filter around this process hides it")
	case errors.Is(err, unix.EOPNOTSUPP):
		p.landlock = 0
		p.lacks("Landlock: it is switched off (the kernel's parameter lsm does not name it)")
	case err != nil:
		p.landlock = 0
		p.lacks("Landlock: %v", err)
	case p.landlock < 4:
		p.lacks("Landlock %d has no rules for TCP ports and no scopes: Linux 6.12 has", p.landlock)
	case p.landlock < complete:
		p.lacks("Landlock %d has no scopes for signals and abstract Unix sockets: Linux 6.12 has", p.landlock)
	}
}

func (p *Plan) probeSeccomp() {
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	switch {
	case filterArch == 0:
		p.lacks("seccomp: this package has no filter for the architecture")
	case p.options.Pretend.NoSeccomp || errno == unix.ENOSYS || errno == unix.EINVAL:
		p.lacks("seccomp: the kernel has none (4.14 and newer have it), or a filter around this process hides it")
	case errno != 0:
		p.lacks("seccomp: %v", errno)
	default:
		p.seccomp = true
	}
}
