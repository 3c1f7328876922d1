package fence

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// LayFilter lays the seccomp filter on all threads of this process, if the pool has asked for it. It
// must be called after Enter.
//
// Names are then resolved by Go and not by the C library, whose modules (nsswitch.conf(5)) may want
// to load code, and to talk to other programs.
func LayFilter() error {
	var deny uint32
	switch mark {
	case "":
		return nil
	case markFilter:
		deny = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	case markKill:
		deny = unix.SECCOMP_RET_TRAP // SIGSYS, and Go prints where it was
	default:
		return fmt.Errorf("%s=%q is not a value of this version: unset it", markVariable, mark)
	}
	net.DefaultResolver = &net.Resolver{PreferGo: true}
	filter := assemble(deny, uint32(os.Getpid()))
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("lay the sandbox's filter: %w", os.NewSyscallError("prctl", err))
	}
	stray, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("lay the sandbox's filter: %w", os.NewSyscallError("seccomp", errno))
	}
	if stray != 0 {
		return fmt.Errorf("lay the sandbox's filter: thread %d has another one", stray)
	}
	return nil
}
