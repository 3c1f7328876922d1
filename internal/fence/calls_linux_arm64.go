package fence

import "golang.org/x/sys/unix"

const filterArch = unix.AUDIT_ARCH_AARCH64

var plainOfArch = []uintptr{unix.SYS_GETRLIMIT}
