package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Children returns the child processes of a process, sorted. It skips the test where the kernel
// does not list them.
func Children(t *testing.T, pid int) []int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(lists) == 0 {
		t.Skipf("child processes are not listed here: %v", err)
	}
	var pids []int
	for _, list := range lists {
		data, _ := os.ReadFile(list) // a thread may have ended
		for _, field := range strings.Fields(string(data)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	return pids
}

// SignalWorkers sends a signal to all child processes of the test.
func SignalWorkers(t *testing.T, sig syscall.Signal) {
	t.Helper()
	for _, pid := range Children(t, os.Getpid()) {
		if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
}
