package faults_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A listing is retried when its worker is killed. After the third worker it fails.
func TestDirectoryWorkerKilled(t *testing.T) {
	for _, times := range []int{2, 3} {
		t.Run(fmt.Sprintf("times=%d", times), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			origin.Inject(s3test.Fault{Match: harness.IsList, Times: times, Gate: make(chan struct{})})
			d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Unhurried)

			all := d.DownloadDirectory(t.Context(), "b", "", dir)
			for n := range times {
				harness.Arrive(t, origin, n+1, "GET")
				harness.SignalWorkers(t, syscall.SIGKILL)
			}
			harness.Wait(t, all.Done(), "the end of the directory")
			if times == 3 {
				err := harness.WantDirectoryError(t, all.Result(), 0, processpool.ErrWorkerLost)
				if err.Err == nil {
					t.Errorf("got %v, want the listing's error", err)
				}
				harness.WantTree(t, dir)
				all = harness.Directory(t, d, "", dir) // the pool still works
			}
			if err := all.Result(); err != nil {
				t.Error(err)
			}
			harness.WantTree(t, dir, "k")
			if got := d.Stats(); got.WorkerRestarts != int64(times) || got.Workers != 1 {
				t.Errorf("got %+v, want %d restarts", got, times)
			}
		})
	}
}

// Without a worker there is no listing, and the error of the Directory has the reason.
func TestDirectoryWithoutWorkers(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	vanished := harness.Executable(t)
	d := harness.NewDownloader(t, origin, func(c *processpool.Config) { c.WorkerCommand = []string{vanished} })
	if err := os.Remove(vanished); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := harness.WantDirectoryError(t, harness.Directory(t, d, "", dir).Result(), 0, processpool.ErrWorkerLost)
		if !strings.Contains(err.Error(), "program: no such file or directory") || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want the missing program, and not as a file of the download", err)
		}
	}
	harness.WantTree(t, dir)
}
