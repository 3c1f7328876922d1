package fence

import "golang.org/x/sys/unix"

const filterArch = unix.AUDIT_ARCH_X86_64

// plainOfArch are older calls that newer architectures do not have.
var plainOfArch = []uintptr{
	unix.SYS_EPOLL_WAIT, unix.SYS_POLL, unix.SYS_TIME, unix.SYS_GETRLIMIT,
	unix.SYS_STAT, unix.SYS_LSTAT, unix.SYS_ACCESS, unix.SYS_READLINK, unix.SYS_ARCH_PRCTL,
}
