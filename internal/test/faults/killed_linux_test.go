package faults_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/pool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Workers that are killed while they are idle are replaced.
func TestWorkerKilledIdle(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	for _, name := range []string{"first", "second", "third"} {
		if err := harness.Download(t, d, "k", filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		harness.SignalWorkers(t, syscall.SIGKILL)
	}
	leak.Files(t, dir, "first", "second", "third")
}

// All workers are killed at once. A job that has not reached a worker does not count as lost.
func TestWorkersAllKilledIdle(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Processes(4))
	for range 10 {
		if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
			t.Fatal(err)
		}
		harness.SignalWorkers(t, syscall.SIGKILL)
	}
	leak.Files(t, dir, "file")
}

// A HeadObject or a range whose worker is killed is given to another worker, and the transfer
// succeeds.
func TestWorkerKilledUnderWay(t *testing.T) {
	for _, method := range []string{"HEAD", "GET"} {
		t.Run(method, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			want := s3test.PatternBytes(1, 4*harness.MiB)
			origin.Put("b", "k", want)
			origin.Inject(s3test.Fault{Method: method, Times: 2, Stall: true, Gate: forever(method), StallAfter: harness.MiB / 2})
			d := harness.NewDownloader(t, origin, harness.Multipart(harness.MiB, harness.MiB), harness.Processes(1), harness.Unhurried)

			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
			for n := 1; n <= 2; n++ {
				harness.Arrive(t, origin, n, method)
				harness.SignalWorkers(t, syscall.SIGKILL)
			}
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			if got := f.Object().Verified; got != "CRC64NVME full object" {
				t.Errorf("Verified: got %q, want the proof though a worker died", got)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), want)
			leak.Files(t, dir, "file")
		})
	}
}

// forever returns a gate that never opens, for a method without a body to stall.
func forever(method string) <-chan struct{} {
	if method == "HEAD" {
		return make(chan struct{})
	}
	return nil
}

// A worker is killed after it has reported progress on a wrong answer. Those bytes are fetched
// again.
func TestWorkerKilledAfterAWrongAnswer(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 6*harness.MiB)
	origin.Put("b", "k", want)
	// The delay exceeds the interval at which a worker reports progress.
	origin.Inject(s3test.Fault{
		Method: "GET", Times: 1, Delay: 400 * time.Millisecond,
		ShiftRange: harness.MiB, LieRange: true, ExtraBytes: 1, Header: map[string]string{"Content-Length": ""},
	})
	origin.Inject(s3test.Fault{Method: "GET", Times: 1, Gate: make(chan struct{})})
	d := harness.NewDownloader(t, origin, harness.Multipart(3*harness.MiB, 3*harness.MiB), harness.Processes(1), harness.Unhurried, harness.Verify(processpool.VerifyOff))

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 2, "GET")
	harness.SignalWorkers(t, syscall.SIGKILL)
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), want)
	leak.Files(t, dir, "file")
}

// What a worker had reported before it died is not fetched again.
func TestWorkerKilledGoesOnFromItsLastWord(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 3*harness.MiB)
	origin.Put("b", "k", want)
	// The delay exceeds the interval at which a worker reports progress.
	origin.Inject(s3test.Fault{Method: "GET", Times: 1, Delay: 400 * time.Millisecond, Stall: true, StallAfter: harness.MiB + 1})
	d := harness.NewDownloader(t, origin, harness.Multipart(3*harness.MiB, 3*harness.MiB), harness.Processes(1), harness.Unhurried)
	steps := make(chan processpool.Progress, 16)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.OnProgress = func(p processpool.Progress) { steps <- p }
	})
	for harness.Wait(t, steps, "the first MiB").BytesDone < harness.MiB {
	}
	harness.SignalWorkers(t, syscall.SIGKILL)
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	harness.WantRanges(t, origin, "bytes=0-3145727", "bytes=1048576-3145727")
	harness.WantContent(t, filepath.Join(dir, "file"), want)
	leak.Files(t, dir, "file")
}

// A request that has lost three workers fails its transfer. The pool still works.
func TestWorkerKilledThreeTimes(t *testing.T) {
	for _, method := range []string{"HEAD", "GET"} {
		t.Run(method, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			origin.Inject(s3test.Fault{Method: method, Gate: make(chan struct{})})
			d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Unhurried)

			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
			for n := 1; n <= 3; n++ {
				harness.Arrive(t, origin, n, method)
				harness.SignalWorkers(t, syscall.SIGKILL)
			}
			err := harness.Result(t, f)
			harness.WantError(t, err, processpool.ErrWorkerLost)
			if !strings.Contains(err.Error(), "signal: killed") {
				t.Errorf("got %v, want how the worker ended", err)
			}
			leak.Files(t, dir)
			origin.ClearFaults()
			if err := harness.Download(t, d, "k", filepath.Join(dir, "next")); err != nil {
				t.Errorf("the next download: %v", err)
			}
			leak.Files(t, dir, "next")
		})
	}
}

// A worker that dies before it has reported the version of the object leaves nothing of it behind.
// The next worker may find another version.
func TestWorkerKilledBeforeItTold(t *testing.T) {
	old := s3test.PatternBytes(1, 700_000)
	for name, c := range map[string]struct {
		option func(*processpool.DownloadOptions)
		want   []byte
	}{
		"SkipHead":     {harness.SkipHead, s3test.PatternBytes(2, 100_000)},
		"ExpectedSize": {func(o *processpool.DownloadOptions) { o.ExpectedSize = aws.Int64(int64(len(old))) }, s3test.PatternBytes(2, int64(len(old)))},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", old)
			origin.Inject(s3test.Fault{Method: "GET", Times: 1, Delay: 400 * time.Millisecond, Cut: true, CutAfter: 600_000})
			origin.Inject(s3test.Fault{Method: "GET", Times: 1, Gate: make(chan struct{})})
			d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Unhurried, func(c *processpool.Config) { c.Verify = processpool.VerifyOff })

			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), c.option)
			harness.Arrive(t, origin, 2, "GET")
			origin.Put("b", "k", c.want)
			harness.SignalWorkers(t, syscall.SIGKILL)
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), c.want)
			leak.Files(t, dir, "file")
		})
	}
}

// A worker that is stopped in the middle of a range, and so is silent, is killed. The transfer
// succeeds.
func TestWorkerStoppedUnderWay(t *testing.T) {
	leak.Check(t)
	harness.Pool(t, pool.Options{Heartbeat: 50 * time.Millisecond})
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 4*harness.MiB)
	origin.Put("b", "k", want)
	origin.Inject(s3test.Fault{Method: "GET", Times: 2, Stall: true, StallAfter: harness.MiB / 2})
	d := harness.NewDownloader(t, origin, harness.Multipart(harness.MiB, harness.MiB), harness.Unhurried)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 2, "GET")
	before := harness.Children(t, os.Getpid())
	harness.SignalWorkers(t, syscall.SIGSTOP)
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), want)
	for _, pid := range harness.Children(t, os.Getpid()) {
		if slices.Contains(before, pid) {
			t.Errorf("pid %d is still there", pid)
		}
	}
	leak.Files(t, dir, "file")
}
