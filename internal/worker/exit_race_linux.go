//go:build race

package worker

import "golang.org/x/sys/unix"

// Exit ends a worker that its pool does not need any more. It leaves out what os.Exit does in a
// program that is built with -race: wait for a second. GORACE could turn that off, but the race
// detector reads it from /proc, which the sandbox refuses.
func Exit() { unix.Exit(0) }
