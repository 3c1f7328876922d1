package pool

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// slack is how much later than asked for the kernel may wake a worker of one request.
// The monitor of Go's runtime asks for 20 microseconds again and again while a goroutine
// runs, and costs a worker a fifth of its time when it gets them.
const slack = 5 * time.Millisecond

// withSlack calls start with the timer slack that a process it starts inherits
// (PR_SET_TIMERSLACK(2const)). Where the system refuses, the process is as others are.
//
// Of several requests one would wait for the monitor while another one's write blocks;
// their workers have none.
func withSlack(slots int, start func() error) error {
	if slots > 1 {
		return start()
	}
	runtime.LockOSThread() // the slack is a thread's
	defer runtime.UnlockOSThread()
	before, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err == nil && unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0) == nil {
		defer unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(before), 0, 0, 0)
	}
	return start()
}
