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
	"time"
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

// SignalWorkers sends a signal to all child processes of the test. After a SIGSTOP it waits until they have
// stopped.
func SignalWorkers(t *testing.T, sig syscall.Signal) {
	t.Helper()
	workers := Children(t, os.Getpid())
	for _, pid := range workers {
		if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
	if sig == syscall.SIGSTOP {
		WaitStopped(t, workers...)
	}
}

// WaitStopped waits until processes that were sent a SIGSTOP have stopped: until one has taken the signal,
// its threads go on.
func WaitStopped(t *testing.T, pids ...int) {
	t.Helper()
	for deadline := time.Now().Add(Patience); slices.ContainsFunc(pids, runs); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the processes %v do not stop", pids)
		}
	}
}

// runs reports whether a thread of a process is neither stopped nor gone.
func runs(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	return slices.ContainsFunc(threads, func(name string) bool {
		stat, _ := os.ReadFile(name)
		_, state, found := strings.Cut(string(stat), ") ") // behind the name, in parentheses
		return found && !strings.ContainsAny(state[:1], "TtZX")
	})
}
