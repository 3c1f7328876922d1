package harness

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Programs are the programs that a test binary can run in place of its tests: an application of
// its own, or a Config.WorkerCommand. The key is the first argument of the binary. Each program
// gets the arguments after it.
var Programs = map[string]func(args []string) error{}

// Register adds a program. A suite calls it from init.
func Register(name string, program func(args []string) error) { Programs[name] = program }

var ends []func()

// AtEnd has Main call f after all tests. Tests that run in parallel must not call it.
func AtEnd(f func()) { ends = append(ends, f) }

// Main runs the tests of a suite, or the program that the first argument names, and exits. Each
// suite calls it from TestMain.
//
// Main removes the AWS settings of the machine from the environment. No range is slow unless a test
// calls [SlowAfter].
func Main(m *testing.M) {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			os.Unsetenv(name)
		}
	}
	// The race detector makes each process sleep for a second at its end. Workers and programs
	// started by a test read this setting.
	os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
	if len(os.Args) > 1 && Programs[os.Args[1]] != nil {
		if err := Programs[os.Args[1]](os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	status := m.Run()
	for _, end := range ends {
		end()
	}
	os.Exit(status)
}
