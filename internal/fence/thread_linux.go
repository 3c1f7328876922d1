package fence

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// OnThread calls f on a thread that ends with it, so that what f does to the thread touches nothing
// else. Go starts no other thread from one that is locked, and ends a thread whose goroutine ends
// without unlocking it (runtime.LockOSThread).
func OnThread(f func() error) error {
	// os finds out once whether pidfds work, by a signal to this process. That must not happen on a
	// thread that may not send any.
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		self.Release()
	}
	done := make(chan error, 1)
	go onThread(f, done)
	return <-done
}

func onThread(f func() error, done chan<- error) {
	runtime.LockOSThread()
	if unix.Gettid() != unix.Getpid() {
		done <- f()
		return
	}
	// This is the main thread, which does not end before the process does. While it is locked, the
	// next goroutine runs on another one.
	defer runtime.UnlockOSThread()
	other := make(chan error, 1)
	go onThread(f, other)
	done <- <-other
}
