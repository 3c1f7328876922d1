package upstream_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// U1, U40, U51: Ctrl-C reaches the workers as well, and they ignore it: while they are idle, during
// a HeadObject and during a GetObject. The application decides.
func TestInterrupt(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gates := map[string]chan struct{}{"HEAD": make(chan struct{}), "GET": make(chan struct{})}
	for method, gate := range gates {
		origin.Inject(s3test.Fault{Method: method, Gate: gate})
	}
	d := harness.NewDownloader(t, origin, harness.Processes(1))
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	before := harness.Children(t, os.Getpid())
	harness.SignalWorkers(t, syscall.SIGINT) // U1: idle
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 1, "HEAD")
	harness.SignalWorkers(t, syscall.SIGINT) // U40
	close(gates["HEAD"])
	harness.Arrive(t, origin, 1, "GET")
	harness.SignalWorkers(t, syscall.SIGINT) // U51
	close(gates["GET"])
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	if after := harness.Children(t, os.Getpid()); !slices.Equal(before, after) {
		t.Errorf("workers: got %v, want the same as before: %v", after, before)
	}
	if n := len(origin.Requests()); n != 2 {
		t.Errorf("got %d requests, want 2", n)
	}
	leak.Files(t, dir, "file")
}

// Workers also ignore a Ctrl-C that they receive while they start.
func TestInterruptDuringStart(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	for deadline := time.Now().Add(harness.Patience); len(harness.Children(t, os.Getpid())) == 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("no worker is started")
		}
	}
	harness.SignalWorkers(t, syscall.SIGINT)
	if err := harness.Result(t, f); err != nil {
		t.Error(err)
	}
	leak.Files(t, dir, "file")
}
