package seccomp

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// variable has the filter, as "call=errno call=errno".
const variable = "PROCESSPOOL_TEST_SECCOMP"

// calls are the system calls that a test can refuse, by name.
var calls = map[string]uint32{
	"fallocate": unix.SYS_FALLOCATE,
	"ftruncate": unix.SYS_FTRUNCATE,
	"fsync":     unix.SYS_FSYNC,
	"fdatasync": unix.SYS_FDATASYNC,
	"flock":     unix.SYS_FLOCK,
	"fchmod":    unix.SYS_FCHMOD,
	"fsetxattr": unix.SYS_FSETXATTR,
	"fgetxattr": unix.SYS_FGETXATTR,
	"mkdirat":   unix.SYS_MKDIRAT,

	"fremovexattr":    unix.SYS_FREMOVEXATTR,
	"sync_file_range": unix.SYS_SYNC_FILE_RANGE,
}

// Refuse makes the kernel answer errno to the named system calls of cmd, which must run the test
// binary (/proc/self/exe). It may be called several times. It skips the test where the kernel has
// no seccomp filters.
func Refuse(t *testing.T, cmd *exec.Cmd, errno syscall.Errno, names ...string) {
	t.Helper()
	available(t)
	entry := variable + "="
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	for i, e := range cmd.Env {
		if strings.HasPrefix(e, entry) {
			entry = e + " "
			cmd.Env = append(cmd.Env[:i], cmd.Env[i+1:]...)
			break
		}
	}
	for _, name := range names {
		if _, ok := calls[name]; !ok {
			t.Fatalf("package seccomp does not know the call %q", name)
		}
		entry += fmt.Sprintf("%s=%d ", name, int(errno))
	}
	cmd.Env = append(cmd.Env, strings.TrimSpace(entry))
}

func available(t *testing.T) {
	t.Helper()
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		t.Skipf("this kernel has no seccomp filters: %v", errno)
	}
}

func init() {
	text := os.Getenv(variable)
	if text == "" {
		return
	}
	os.Unsetenv(variable) // programs started by this one inherit the filter itself
	if err := install(text); err != nil {
		fmt.Fprintln(os.Stderr, "seccomp:", err)
		os.Exit(1)
	}
}

// install applies the filter to all threads of this process. See seccomp(2) for the layout of the
// data that a filter reads: the number of the call comes first, in 4 bytes.
func install(text string) error {
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}}
	for _, entry := range strings.Fields(text) {
		name, value, _ := strings.Cut(entry, "=")
		errno, err := strconv.ParseUint(value, 10, 16)
		if err != nil {
			return err
		}
		program = append(program,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: calls[name]},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)})
	}
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&filter)))
	if errno != 0 {
		return errno
	}
	return nil
}
