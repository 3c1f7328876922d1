//go:build unix

package journal

import "golang.org/x/sys/unix"

// noFollow refuses a symbolic link that somebody has put there.
const noFollow = unix.O_NOFOLLOW
