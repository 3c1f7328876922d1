//go:build unix && !linux

package fence

import "golang.org/x/sys/unix"

func closeFrom(first int) { closeEach(first) }

func forbidDumps() { unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }

// Privileged reports whether the process has rights that who started it may not have: its program is
// set-user-ID or set-group-ID.
func Privileged() bool { return differs() }
