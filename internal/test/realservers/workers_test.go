//go:build realservers && linux

package realservers

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// workers returns the child processes of this process except the server. It is safe for concurrent
// use.
func workers(t *testing.T, server int) []int {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children") // proc_pid_task(5)
	if err != nil {
		t.Error(err)
	}
	var pids []int
	for _, list := range lists {
		text, _ := os.ReadFile(list) // the thread may have ended
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Error(err)
			}
			pids = append(pids, pid)
		}
	}
	return slices.DeleteFunc(pids, func(pid int) bool { return pid == server })
}
