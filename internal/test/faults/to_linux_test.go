package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/pool"
	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// middle is a range in the middle of an object of 5 MiB.
var middle = processpool.Range{Offset: harness.MiB - 7, Length: 3*harness.MiB + 11}

func inMiddle(o *processpool.DownloadOptions) { r := middle; o.Range = &r }

// A range of an object, to an open file, survives killed workers and broken connections.
func TestDownloadToFaults(t *testing.T) {
	content := s3test.PatternBytes(1, 5*harness.MiB)
	want := content[middle.Offset : middle.Offset+middle.Length]
	for name, fault := range map[string]s3test.Fault{
		"killed": {Stall: true, StallAfter: harness.MiB / 2},
		"cut":    {Cut: true, CutAfter: harness.MiB / 3},
		"503":    {Status: 503},
		"before": {Cut: true, CutAfter: -1},
	} {
		for way, fns := range map[string][]func(*processpool.DownloadOptions){
			"HeadObject":   nil,
			"ExpectedSize": {harness.Expect(int64(len(content)))},
			"SkipHead":     {harness.SkipHead},
		} {
			for _, chunk := range []int64{harness.MiB, 100 * harness.MiB} {
				if fault.Status != 0 && chunk > harness.MiB {
					continue // as the other chunk
				}
				t.Run(fmt.Sprintf("%s,%s,chunk=%d", name, way, chunk), func(t *testing.T) {
					leak.Check(t)
					origin := harness.StartOrigin(t)
					origin.Put("b", "k", content)
					fault.Method, fault.Times = "GET", 2
					origin.Inject(fault)
					d := harness.NewDownloader(t, origin, harness.Multipart(chunk, chunk), harness.Processes(1), harness.Unhurried)
					f := harness.Memory(t)
					future := d.DownloadTo(t.Context(), "b", "k", f, append(fns[:len(fns):len(fns)], inMiddle)...)
					if fault.Stall {
						for n := 1; n <= 2; n++ {
							harness.Arrive(t, origin, n, "GET")
							harness.SignalWorkers(t, syscall.SIGKILL)
						}
					}
					if err := harness.Result(t, future); err != nil {
						t.Fatal(err)
					}
					harness.WantContent(t, fmt.Sprintf("/proc/self/fd/%d", f.Fd()), want)
				})
			}
		}
	}
}

// A worker that is stopped could write to the caller's file when it goes on: a download that is
// canceled does not end before that worker is gone.
func TestDownloadToWorkerStopped(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", s3test.PatternBytes(1, harness.MiB))
	origin.Inject(s3test.Fault{Method: "GET", Stall: true, StallAfter: harness.MiB / 2})
	harness.Pool(t, pool.Options{CancelTimeout: 200 * time.Millisecond})
	d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Unhurried)
	future := d.DownloadTo(t.Context(), "b", "k", harness.Memory(t))
	harness.Arrive(t, origin, 1, "GET")
	stopped := harness.Children(t, os.Getpid())
	harness.SignalWorkers(t, syscall.SIGSTOP)
	future.Cancel()
	harness.WantCanceled(t, future)
	for _, pid := range harness.Children(t, os.Getpid()) {
		if slices.Contains(stopped, pid) {
			t.Errorf("the download has ended, and worker %d, which has the file, has not", pid)
		}
	}
}

// A disk that is full is known before the first byte. What stays in the caller's file is undefined,
// and nothing else is there.
func TestDownloadToDiskFull(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	disk.Tmpfs(t, dir, "size=1m")
	origin.Put("b", "k", s3test.PatternBytes(1, 2*harness.MiB))
	d := harness.NewDownloader(t, origin)
	f, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = harness.Result(t, d.DownloadTo(t.Context(), "b", "k", f))
	harness.WantError(t, err, syscall.ENOSPC)
	if e := harness.TransferError(t, err); e.Op != processpool.OpCreate || e.Temporary() {
		t.Errorf("got %v", err)
	}
	harness.WantRanges(t, origin)
	leak.Files(t, dir, "file")
}
