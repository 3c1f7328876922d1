//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A signal cancels and cleans up. Its number is in the exit status.
func TestInterrupt(t *testing.T) {
	for _, c := range []struct {
		signal syscall.Signal
		status int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}, {syscall.SIGHUP, 129}} {
		t.Run(c.signal.String(), func(t *testing.T) {
			if c.signal == syscall.SIGHUP && signal.Ignored(c.signal) {
				t.Skip("the tests run under nohup, and s3get respects that")
			}
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			origin.Put("b", "k", s3test.PatternBytes(1, 1<<20))
			origin.Inject(s3test.Fault{Method: "GET", Key: "k", Stall: true, StallAfter: 1000})

			cmd := exec.Command(os.Args[0], "--endpoint", origin.URL(), "s3://b/k", filepath.Join(dir, "file"))
			cmd.Env = append(os.Environ(), asMain+"=1")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := origin.WaitRequests(ctx, 2, nil); err != nil {
				cmd.Process.Kill()
				t.Error(err)
			}
			cmd.Process.Signal(c.signal)
			err := cmd.Wait()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != c.status {
				t.Errorf("got %v, want status %d", err, c.status)
			}
			wantText(t, "stderr", stderr.String(), "s3get: interrupted: ")
			wantFiles(t, dir)
		})
	}
}
