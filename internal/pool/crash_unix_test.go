//go:build unix

package pool

import (
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/s3processpool/processpool/internal/ipc"
)

func init() {
	over := func(end func()) func(*actor) {
		return func(a *actor) {
			a.start()
			a.receive()
			end()
		}
	}
	scripts["panic"] = over(func() {
		os.Stderr.WriteString(strings.Repeat("words before\n", 1000) + "and without a line feed ")
		panic("out of luck" + strings.Repeat("!", 20_000))
	})
	scripts["panic in a deferred call"] = over(func() {
		defer func() { panic("second") }()
		panic("first")
	})
	scripts["fatal error"] = over(func() { new(sync.Mutex).Unlock() })
	scripts["stack overflow"] = over(func() { debug.SetMaxStack(1 << 20); println(deep(0)) })
	scripts["panic over nil"] = over(func() { println(*(*int)(nil)) })
}

// deep calls itself until the stack is full.
func deep(n int) int {
	if n < 0 {
		return n
	}
	return deep(n+1) + 1
}

// TestWorkerCrashes: the error of a worker that crashes tells why, and where.
func TestWorkerCrashes(t *testing.T) {
	for script, want := range map[string][]string{
		"panic":                    {"exit status 2; it crashed: panic: out of luck!!!", "...\n\ngoroutine 1 ["},
		"panic in a deferred call": {"it crashed: panic: first", "panic: second\n\ngoroutine 1 ["},
		"fatal error":              {"it crashed: fatal error: sync: unlock of unlocked mutex\n", "goroutine 1 ["},
		"stack overflow":           {"it crashed: runtime: goroutine stack exceeds ", "fatal error: stack overflow"},
		"panic over nil":           {"it crashed: panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV", "goroutine 1 ["},
	} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			c := newCrew(t, script)
			next[Up](c).Worker.Job(&ipc.Job{ID: 1, Head: &ipc.Head{}}, nil)
			err := next[Down](c).Err
			wantText(t, err, want...)
			if n := len(err.Error()); n > 1500 {
				t.Errorf("got %d bytes: %v", n, err)
			}
		})
	}
}
