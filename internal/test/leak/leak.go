// Package leak detects goroutines, child processes, descriptors and files that a test leaves
// behind. A test that uses it must not run in parallel with another test.
package leak

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is how long Check waits for leftovers to disappear. Only a leak takes that long.
const patience = 30 * time.Second

// Check fails the test if at its end there are goroutines, child processes or descriptors that did
// not exist at the call of Check. It runs as a cleanup, after all cleanups that were registered
// later.
func Check(t testing.TB) {
	t.Helper()
	before := snapshot()
	t.Cleanup(func() {
		var left []string
		for deadline := time.Now().Add(patience); ; {
			if left = before.diff(snapshot()); len(left) == 0 {
				return
			}
			if time.Now().After(deadline) {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	})
}

// Files fails the test unless dir contains exactly the entries want.
func Files(t testing.TB, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("files in %s: got %q, want %q", dir, got, want)
	}
}

type state struct {
	goroutines  int
	stacks      string
	descriptors map[string]bool // number and target
	children    map[string]bool
}

func snapshot() state {
	s := state{goroutines: runtime.NumGoroutine(), descriptors: map[string]bool{}, children: map[string]bool{}}
	buf := make([]byte, 1<<20)
	s.stacks = string(buf[:runtime.Stack(buf, true)])
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && !own(target) {
			s.descriptors[filepath.Base(link)+" "+target] = true
		}
	}
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		pids, _ := os.ReadFile(list)
		for _, pid := range strings.Fields(string(pids)) {
			s.children[pid] = true
		}
	}
	return s
}

// own reports whether a descriptor belongs to the Go runtime, which opens it at first use.
func own(target string) bool {
	return strings.HasPrefix(target, "anon_inode:") || strings.HasPrefix(target, "/proc/") ||
		strings.HasPrefix(target, "/sys/") || target == "pidfd"
}

func (before state) diff(after state) []string {
	var left []string
	if after.goroutines > before.goroutines {
		left = append(left, fmt.Sprintf("%d goroutines more than before:\n%s", after.goroutines-before.goroutines, after.stacks))
	}
	for fd := range after.descriptors {
		if !before.descriptors[fd] {
			left = append(left, "descriptor "+fd)
		}
	}
	for pid := range after.children {
		if !before.children[pid] {
			left = append(left, "child process "+pid)
		}
	}
	return left
}
