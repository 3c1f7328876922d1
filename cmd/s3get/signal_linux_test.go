package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A second Ctrl-C ends s3get at once, although a worker does not end.
func TestInterruptTwice(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	cmd := exec.Command(os.Args[0], "--endpoint", origin.URL(), "--workers", "1", "s3://b/k", filepath.Join(dir, "file"))
	cmd.Env = append(os.Environ(), asMain+"=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	held := make(chan struct{})
	defer close(held)
	origin.Put("b", "k", []byte("x"))
	origin.OnRequest(func(s3test.Request) { close(asked); <-held })
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	context.AfterFunc(ctx, func() { cmd.Process.Kill() })

	select {
	case <-asked:
	case <-ctx.Done():
		t.Fatal("no request")
	}
	worker := child(t, cmd.Process.Pid)
	defer syscall.Kill(worker, syscall.SIGKILL)
	if err := syscall.Kill(worker, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	harness.WaitStopped(t, worker)
	cmd.Process.Signal(os.Interrupt)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "interrupted") {
	}
	cmd.Process.Signal(os.Interrupt)
	last := ""
	for lines.Scan() {
		last = lines.Text()
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("got %v, want status 130", err)
	}
	wantText(t, "the last line", last, "s3get: ended at once")
}

// child returns the only child process of a process.
func child(t *testing.T, pid int) int {
	t.Helper()
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		data, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(data)) {
			if child, err := strconv.Atoi(field); err == nil {
				return child
			}
		}
	}
	t.Skip("child processes are not listed here")
	return 0
}
