package pool

import (
	"fmt"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/internal/fence"
)

// slack is how much later than it asks for the kernel may wake a worker with one slot. While a
// goroutine runs, the monitor thread of Go's runtime asks for 20 microseconds again and again.
// Without slack it takes a fifth of a worker's processor time.
const slack = 5 * time.Millisecond

// launch calls start, which starts a worker, on a thread of its own. The worker inherits from the
// thread its timer slack (PR_SET_TIMERSLACK(2const)), which marks it, its niceness, and the rules of its fence. All
// hold before the worker's program runs.
func (p *Pool) launch(start func() error, _ *exec.Cmd) error {
	return fence.OnThread(func() error {
		// A worker with several slots gets no more slack: while a write of one request blocks, the
		// other requests would wait for the monitor thread. If the system refuses, the worker has the
		// default slack, and no mark.
		if p.options.Settings.Slots == 1 {
			fence.MarkThread(slack)
		} else {
			fence.MarkThread(0)
		}
		if n := p.options.Nice; n > 0 {
			if err := addNice(n); err != nil {
				return fmt.Errorf("set its niceness: %w", err)
			}
		}
		if err := p.options.Fence.Restrict(); err != nil {
			return fmt.Errorf("lay the sandbox's rules: %w", err)
		}
		return start()
	})
}

// addNice adds to the niceness of this thread.
func addNice(n int) error {
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return err
	}
	// The system call returns 20 less the niceness, so as not to be negative (getpriority(2)). The
	// kernel cuts what is over 19.
	return unix.Setpriority(unix.PRIO_PROCESS, 0, 20-raw+n)
}
