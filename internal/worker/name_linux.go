package worker

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// SetName sets the name that top and ps show. A process started as /proc/self/exe would be called
// "exe". SetName must be called on the main thread (PR_SET_NAME(2const) names a thread).
func SetName(name string) {
	b := append([]byte(name), 0)
	unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b[0])), 0, 0, 0)
}
