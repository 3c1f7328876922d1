package hostile_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/pool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// command makes a program of this binary the worker.
func command(args ...string) func(*processpool.Config) {
	return func(c *processpool.Config) { c.WorkerCommand = append([]string{os.Args[0]}, args...) }
}

// runtimeMemory returns how many bytes the Go runtime has from the system, and how many were allocated.
func runtimeMemory() (mapped, allocated uint64) {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64(), samples[1].Value.Uint64()
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// mostMapped bounds what one trick may cost the application in memory: three workers, and of each a
// frame of 16 MiB that is read, decoded and dropped.
const mostMapped = 256 << 20

// Whatever a worker says, the application lives on, the other downloads of its pool succeed, the one
// in its hands ends with ErrWorkerLost, and nothing of it is left.
func TestHostileWorker(t *testing.T) {
	for _, trick := range slices.Sorted(maps.Keys(tricks)) {
		if trick == "silence" {
			continue
		}
		t.Run(trick, func(t *testing.T) {
			leak.Check(t)
			runtime.GC()
			origin, dir := harness.StartOrigin(t), t.TempDir()
			mapped, allocated := runtimeMemory()
			d := harness.NewDownloader(t, origin, command("hostile-worker", trick))
			if err := d.Start(); err != nil {
				t.Fatal(err)
			}
			fds := descriptors(t)
			evil := d.DownloadFile(t.Context(), "b", "evil", filepath.Join(dir, "evil"))
			var good []*processpool.Future
			for i := range 8 {
				good = append(good, d.DownloadFile(t.Context(), "b", "good", filepath.Join(dir, fmt.Sprint(i))))
			}
			for i, f := range good {
				if err := harness.Result(t, f); err != nil {
					t.Errorf("another download: %v", err)
					continue
				}
				name := filepath.Join(dir, fmt.Sprint(i))
				harness.WantContent(t, name, harness.Content)
				os.Remove(name)
			}
			err := harness.Result(t, evil)
			harness.WantError(t, err, processpool.ErrWorkerLost)
			if text := err.Error(); !strings.Contains(text, " broke the protocol: ") || len(text) > 2000 {
				t.Errorf("got %.2000v, want how the worker broke the protocol", err)
			}
			// Each worker has a socket and a standard error; one may be at its start now.
			if n := descriptors(t) - fds; n > 8 {
				t.Errorf("got %d more descriptors", n)
			}
			moreMapped, moreAllocated := runtimeMemory()
			t.Logf("%d KiB more mapped, %d KiB allocated: %v", int64(moreMapped-mapped)>>10, (moreAllocated-allocated)>>10, err)
			if n := int64(moreMapped - mapped); n > mostMapped {
				t.Errorf("got %d bytes more mapped, want at most %d", n, mostMapped)
			}
			leak.Files(t, dir)
		})
	}
}

// A download goes on with another worker where one breaks the protocol.
func TestHostileWorkerIsReplaced(t *testing.T) {
	for _, trick := range []string{"progress of a HEAD", "progress of -100", "descriptors"} {
		t.Run(trick, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			var log harness.Log
			d := harness.NewDownloader(t, origin, harness.Processes(1), log.Config,
				command("hostile-worker", trick, filepath.Join(t.TempDir(), "first")))
			name := filepath.Join(dir, "file")
			if err := harness.Download(t, d, "evil", name); err != nil {
				t.Error(err)
			}
			harness.WantContent(t, name, harness.Content)
			lost := log.Records(t, "worker lost")
			if len(lost) != 1 || !strings.Contains(fmt.Sprint(lost[0]["error"]), " broke the protocol: ") {
				t.Errorf("got %v, want one worker that broke the protocol", lost)
			}
			leak.Files(t, dir, "file")
		})
	}
}

// A worker that answers pings, but neither a job nor its Cancel, loses its slot soon after a cancel.
func TestHostileWorkerIgnoresCancel(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	harness.Pool(t, pool.Options{CancelTimeout: 200 * time.Millisecond})
	var log harness.Log
	d := harness.NewDownloader(t, origin, harness.Processes(1), log.Config, command("hostile-worker", "silence"))
	for range 2 {
		asked := d.Stats().Requests.HeadObject
		f := d.DownloadFile(t.Context(), "b", "evil", filepath.Join(dir, "evil"))
		for deadline := time.Now().Add(harness.Patience); d.Stats().Requests.HeadObject == asked; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the worker is not asked")
			}
		}
		f.Cancel()
		if err := harness.Result(t, f); !errors.Is(err, processpool.ErrCanceled) {
			t.Errorf("got %v, want a cancel", err)
		}
		if err := harness.Download(t, d, "good", filepath.Join(dir, "good")); err != nil {
			t.Errorf("the next download: %v", err)
		}
	}
	lost := log.Records(t, "worker lost")
	if len(lost) == 0 || !strings.Contains(fmt.Sprint(lost[0]["error"]), "did not end a job within 200ms of its cancel") {
		t.Errorf("got %v, want the reason", lost)
	}
	leak.Files(t, dir, "good")
}
