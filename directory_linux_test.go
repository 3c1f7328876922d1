package processpool_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A worker killed over a listing gives it back; three are enough.
func TestDirectoryWorkerKilled(t *testing.T) {
	for _, times := range []int{2, 3} {
		t.Run(fmt.Sprintf("times=%d", times), func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			origin.Put("b", "k", content)
			origin.Inject(s3test.Fault{Match: isList, Times: times, Gate: make(chan struct{})})
			d := newDownloader(t, origin, processes(1), unhurried)

			all := d.DownloadDirectory(t.Context(), "b", "", dir)
			for n := range times {
				arrive(t, origin, n+1, "GET")
				signalWorkers(t, syscall.SIGKILL)
			}
			wait(t, all.Done(), "the end of the directory")
			if times == 3 {
				err := wantDirectoryError(t, all.Result(), 0, processpool.ErrWorkerLost)
				if err.Err == nil {
					t.Errorf("got %v, want the listing's error", err)
				}
				wantTree(t, dir)
				all = directory(t, d, "", dir) // the pool lives on
			}
			if err := all.Result(); err != nil {
				t.Error(err)
			}
			wantTree(t, dir, "k")
			if got := d.Stats(); got.WorkerRestarts != int64(times) || got.Workers != 1 {
				t.Errorf("got %+v, want %d restarts", got, times)
			}
		})
	}
}

// Without a worker there is no listing, and the Directory says why.
func TestDirectoryWithoutWorkers(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	d := newDownloader(t, origin, func(c *processpool.Config) {
		c.WorkerCommand = []string{filepath.Join(dir, "missing")}
	})
	for range 2 {
		wantDirectoryError(t, directory(t, d, "", dir).Result(), 0, processpool.ErrWorkerLost, fs.ErrNotExist)
	}
	wantTree(t, dir)
}
