//go:build !race || !linux

package worker

import "os"

// Exit ends a worker that its pool does not need any more.
func Exit() { os.Exit(0) }
