//go:build unix && !linux

package pool

import (
	"os/exec"

	"golang.org/x/sys/unix"
)

// launch calls start, which starts a worker, and sets the niceness of cmd's process.
func (p *Pool) launch(start func() error, cmd *exec.Cmd) error {
	if err := start(); err != nil || p.options.Nice == 0 {
		return err
	}
	// A worker that has ended at once has no niceness; the handshake tells.
	if before, err := unix.Getpriority(unix.PRIO_PROCESS, cmd.Process.Pid); err == nil {
		unix.Setpriority(unix.PRIO_PROCESS, cmd.Process.Pid, before+p.options.Nice)
	}
	return nil
}
