package fence

import (
	"time"

	"golang.org/x/sys/unix"
)

// The last digits of the timer slack of a worker, in nanoseconds: the remainder by slackUnit is
// slackMark. All versions of this module must use the same. A process inherits the slack from the
// thread that starts it, and keeps it through exec (PR_SET_TIMERSLACK(2const)). So it outlives what
// a wrapper may remove, such as the environment, descriptors, and the parent process.
const (
	slackUnit = 10 * time.Microsecond
	slackMark = 1973 * time.Nanosecond
)

// MarkThread gives this thread a timer slack, about that of its argument, that tells those who
// descend from it. The argument 0 is the slack that it has. Nothing happens if the system refuses.
func MarkThread(slack time.Duration) {
	if slack == 0 {
		slack = threadSlack()
	}
	unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack.Truncate(slackUnit)+slackMark), 0, 0, 0)
}

// Marked reports whether this thread descends from one that MarkThread has marked.
func Marked() bool { return threadSlack()%slackUnit == slackMark }

func threadSlack() time.Duration {
	ns, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		return 0
	}
	return time.Duration(ns)
}
