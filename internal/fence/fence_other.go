//go:build !linux

package fence

import "runtime"

func (p *Plan) probe() { p.lacks("there is no sandbox for %s yet", runtime.GOOS) }

// Restrict does nothing on this platform.
func (p *Plan) Restrict() error { return nil }

// Forget does nothing.
func (p *Plan) Forget() {}

// OnThread calls f.
func OnThread(f func() error) error { return f() }

// LayFilter does nothing on this platform.
func LayFilter() error { return nil }
