package pool

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// launch calls start, which starts cmd as a worker. Windows has priority classes in place of
// niceness
// (https://learn.microsoft.com/en-us/windows/win32/procthread/scheduling-priorities).
func (p *Pool) launch(start func() error, cmd *exec.Cmd) error {
	if p.options.Nice > 0 {
		if cmd.SysProcAttr == nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		class := uint32(windows.BELOW_NORMAL_PRIORITY_CLASS)
		if p.options.Nice >= 10 {
			class = windows.IDLE_PRIORITY_CLASS
		}
		cmd.SysProcAttr.CreationFlags |= class
	}
	return start()
}
