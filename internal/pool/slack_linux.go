package pool

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// slack is how much later than it asks for the kernel may wake a worker with one slot. While a
// goroutine runs, the monitor thread of Go's runtime asks for 20 microseconds again and again.
// Without slack it takes a fifth of a worker's processor time.
const slack = 5 * time.Millisecond

// withSlack calls start, which starts a process, with a timer slack that the process inherits
// (PR_SET_TIMERSLACK(2const)). If the system refuses, the process has the default slack.
//
// A worker with several slots gets no slack: while a write of one request blocks, the other
// requests would wait for the monitor thread.
func withSlack(slots int, start func() error) error {
	if slots > 1 {
		return start()
	}
	runtime.LockOSThread() // the slack belongs to the thread
	defer runtime.UnlockOSThread()
	before, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err == nil && unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0) == nil {
		defer unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(before), 0, 0, 0)
	}
	return start()
}
