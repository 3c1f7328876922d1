//go:build !processpool_noinit

package reexec

import (
	"fmt"
	"os"

	"github.com/s3processpool/processpool/internal/worker"
)

// Init reports whether init turns this executable into a worker.
const Init = true

// init turns this process into a worker if a pool has started it, before main and before the init
// of the packages that import this module. It leaves a process alone that a pool of another major
// version in this program has started.
func init() {
	m := taken()
	err := m.unanswered()
	if err == nil && m.role != "" {
		err = enter()
	}
	if err == nil && m.role == roleSelf {
		if err = serve(nil); err == nil {
			worker.Exit()
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "processpool worker: %v\n", err)
		os.Exit(1)
	}
}
