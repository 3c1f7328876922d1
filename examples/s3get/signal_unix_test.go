//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Ctrl-C cancels and cleans up.
func TestInterrupt(t *testing.T) {
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
	cmd.Process.Signal(os.Interrupt)
	err := cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("got %v, want status 1", err)
	}
	wantText(t, "stderr", stderr.String(), "s3get: interrupted: ")
	wantFiles(t, dir)
}
