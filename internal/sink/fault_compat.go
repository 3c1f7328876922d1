package sink

import "github.com/s3processpool/processpool/internal/osfile"

// This file is temporary: it goes when no test sets a fault for the whole process any more.

// defaultSystem is what Resolve uses in place of nil.
var defaultSystem osfile.System

// SetFault sets the fault of all targets that were resolved without a System of their own. See
// osfile.System.SetFault.
func SetFault(f func(op, path string) error) (restore func()) { return defaultSystem.SetFault(f) }

func orDefault(sys *osfile.System) *osfile.System {
	if sys == nil {
		return &defaultSystem
	}
	return sys
}
