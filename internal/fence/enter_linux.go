package fence

import "golang.org/x/sys/unix"

func closeFrom(first int) {
	if err := unix.CloseRange(uint(first), ^uint(0)>>1, 0); err != nil { // before Linux 5.9
		closeEach(first)
	}
}

// forbidDumps makes the memory and the other files of the process in /proc root's
// (PR_SET_DUMPABLE(2const)), so that no other process of the same user can read them or attach to
// it.
func forbidDumps() {
	unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
}

// Privileged reports whether the process has rights that who started it may not have: its program is
// set-user-ID, set-group-ID, or has capabilities (AT_SECURE in getauxval(3)).
func Privileged() bool {
	vector, err := unix.Auxv()
	if err != nil {
		return differs()
	}
	for _, entry := range vector {
		const secure = 23 // AT_SECURE
		if entry[0] == secure {
			return entry[1] != 0
		}
	}
	return differs()
}
