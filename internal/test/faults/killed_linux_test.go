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

// 2e: workers killed while they are idle are replaced.
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

// All of them at once: a job that reaches none of them is not what they died of.
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

// 2e: a worker killed in the middle of a range, or of a HeadObject, gives it back;
// the transfer does not notice.
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

// forever is a gate for what has no body to stall.
func forever(method string) <-chan struct{} {
	if method == "HEAD" {
		return make(chan struct{})
	}
	return nil
}

// What a worker had reported of an answer that turned out to be another than asked for is
// not in the file for good.
func TestWorkerKilledAfterAWrongAnswer(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 6*harness.MiB)
	origin.Put("b", "k", want)
	// The delay is longer than a worker keeps progress to itself.
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
	// The delay is longer than a worker keeps progress to itself.
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

// A range that has cost three workers their lives fails its transfer, and the pool
// lives on.
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

// A worker that died before it told which version it had found leaves nothing of it: the
// next one may find another.
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

// A worker that is stopped, and so silent, in the middle of a range is killed, and
// the transfer does not notice.
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
