//go:build !unix && !windows

package pool

import "os/exec"

// launch calls start.
func (p *Pool) launch(start func() error, _ *exec.Cmd) error { return start() }
