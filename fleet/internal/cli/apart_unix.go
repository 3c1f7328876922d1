//go:build unix

package cli

import "syscall"

// apart has a worker be in a process group of its own: Ctrl-C is for s3fleet run alone, which tells
// its workers.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
