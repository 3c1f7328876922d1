package worker

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// SetName names the process for top and ps: started as /proc/self/exe it would be
// "exe". It must be called on the main thread (PR_SET_NAME(2const) names a thread).
func SetName(name string) {
	b := append([]byte(name), 0)
	unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b[0])), 0, 0, 0)
}
