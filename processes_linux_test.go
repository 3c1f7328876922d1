package processpool_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// children returns the child processes of a process.
func children(t *testing.T, pid int) []int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(lists) == 0 {
		t.Skipf("child processes are not listed here: %v", err)
	}
	var pids []int
	for _, list := range lists {
		data, _ := os.ReadFile(list) // a thread may have ended
		for _, field := range strings.Fields(string(data)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	return pids
}

func signalWorkers(t *testing.T, sig syscall.Signal) {
	t.Helper()
	for _, pid := range children(t, os.Getpid()) {
		if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
}

// 2e: workers killed while they are idle are replaced.
func TestWorkerKilledIdle(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	d := newDownloader(t, origin)
	for _, name := range []string{"first", "second", "third"} {
		if err := download(t, d, "k", filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		signalWorkers(t, syscall.SIGKILL)
	}
	leak.Files(t, dir, "first", "second", "third")
}

// All of them at once: a job that reaches none of them is not what they died of.
func TestWorkersAllKilledIdle(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	d := newDownloader(t, origin, processes(4))
	for range 10 {
		if err := download(t, d, "k", filepath.Join(dir, "file")); err != nil {
			t.Fatal(err)
		}
		signalWorkers(t, syscall.SIGKILL)
	}
	leak.Files(t, dir, "file")
}

// 2e: a worker killed in the middle of a range, or of a HeadObject, gives it back;
// the transfer does not notice.
func TestWorkerKilledUnderWay(t *testing.T) {
	for _, method := range []string{"HEAD", "GET"} {
		t.Run(method, func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			want := s3test.PatternBytes(1, 4*mib)
			origin.Put("b", "k", want)
			origin.Inject(s3test.Fault{Method: method, Times: 2, Stall: true, Gate: forever(method), StallAfter: mib / 2})
			d := newDownloader(t, origin, multipart(mib, mib), processes(1), unhurried)

			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
			for n := 1; n <= 2; n++ {
				arrive(t, origin, n, method)
				signalWorkers(t, syscall.SIGKILL)
			}
			if err := result(t, f); err != nil {
				t.Fatal(err)
			}
			if got := f.Object().Verified; got != "CRC64NVME full object" {
				t.Errorf("Verified: got %q, want the proof though a worker died", got)
			}
			wantContent(t, filepath.Join(dir, "file"), want)
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
	origin, dir := startOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 6*mib)
	origin.Put("b", "k", want)
	// The delay is longer than a worker keeps progress to itself.
	origin.Inject(s3test.Fault{
		Method: "GET", Times: 1, Delay: 400 * time.Millisecond,
		ShiftRange: mib, LieRange: true, ExtraBytes: 1, Header: map[string]string{"Content-Length": ""},
	})
	origin.Inject(s3test.Fault{Method: "GET", Times: 1, Gate: make(chan struct{})})
	d := newDownloader(t, origin, multipart(3*mib, 3*mib), processes(1), unhurried, verify(processpool.VerifyOff))

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	arrive(t, origin, 2, "GET")
	signalWorkers(t, syscall.SIGKILL)
	if err := result(t, f); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "file"), want)
	leak.Files(t, dir, "file")
}

// What a worker had reported before it died is not fetched again.
func TestWorkerKilledGoesOnFromItsLastWord(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 3*mib)
	origin.Put("b", "k", want)
	// The delay is longer than a worker keeps progress to itself.
	origin.Inject(s3test.Fault{Method: "GET", Times: 1, Delay: 400 * time.Millisecond, Stall: true, StallAfter: mib + 1})
	d := newDownloader(t, origin, multipart(3*mib, 3*mib), processes(1), unhurried)
	steps := make(chan processpool.Progress, 16)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.OnProgress = func(p processpool.Progress) { steps <- p }
	})
	for wait(t, steps, "the first MiB").BytesDone < mib {
	}
	signalWorkers(t, syscall.SIGKILL)
	if err := result(t, f); err != nil {
		t.Fatal(err)
	}
	wantRanges(t, origin, "bytes=0-3145727", "bytes=1048576-3145727")
	wantContent(t, filepath.Join(dir, "file"), want)
	leak.Files(t, dir, "file")
}

// A range that has cost three workers their lives fails its transfer, and the pool
// lives on.
func TestWorkerKilledThreeTimes(t *testing.T) {
	for _, method := range []string{"HEAD", "GET"} {
		t.Run(method, func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			origin.Put("b", "k", content)
			origin.Inject(s3test.Fault{Method: method, Gate: make(chan struct{})})
			d := newDownloader(t, origin, processes(1), unhurried)

			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
			for n := 1; n <= 3; n++ {
				arrive(t, origin, n, method)
				signalWorkers(t, syscall.SIGKILL)
			}
			err := result(t, f)
			wantError(t, err, processpool.ErrWorkerLost)
			if !strings.Contains(err.Error(), "signal: killed") {
				t.Errorf("got %v, want how the worker ended", err)
			}
			leak.Files(t, dir)
			origin.ClearFaults()
			if err := download(t, d, "k", filepath.Join(dir, "next")); err != nil {
				t.Errorf("the next download: %v", err)
			}
			leak.Files(t, dir, "next")
		})
	}
}

// U1, U40, U51 and 2e: Ctrl-C reaches the workers, too, and they leave it to the
// application: while idle, during a HeadObject, during a GetObject, and as they start.
func TestInterrupt(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	gates := map[string]chan struct{}{"HEAD": make(chan struct{}), "GET": make(chan struct{})}
	for method, gate := range gates {
		origin.Inject(s3test.Fault{Method: method, Gate: gate})
	}
	d := newDownloader(t, origin, processes(1))
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	before := children(t, os.Getpid())
	signalWorkers(t, syscall.SIGINT) // U1: idle
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	arrive(t, origin, 1, "HEAD")
	signalWorkers(t, syscall.SIGINT) // U40
	close(gates["HEAD"])
	arrive(t, origin, 1, "GET")
	signalWorkers(t, syscall.SIGINT) // U51
	close(gates["GET"])
	if err := result(t, f); err != nil {
		t.Fatal(err)
	}
	if after := children(t, os.Getpid()); !slices.Equal(before, after) {
		t.Errorf("workers: got %v, want the same as before: %v", after, before)
	}
	if n := len(origin.Requests()); n != 2 {
		t.Errorf("got %d requests, want 2", n)
	}
	leak.Files(t, dir, "file")
}

func TestInterruptDuringStart(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	d := newDownloader(t, origin)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	for deadline := time.Now().Add(patience); len(children(t, os.Getpid())) == 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("no worker is started")
		}
	}
	signalWorkers(t, syscall.SIGINT)
	if err := result(t, f); err != nil {
		t.Error(err)
	}
	leak.Files(t, dir, "file")
}

// A worker that died before it told which version it had found leaves nothing of it: the
// next one may find another.
func TestWorkerKilledBeforeItTold(t *testing.T) {
	old := s3test.PatternBytes(1, 700_000)
	for name, c := range map[string]struct {
		option func(*processpool.DownloadOptions)
		want   []byte
	}{
		"SkipHead":     {skipHead, s3test.PatternBytes(2, 100_000)},
		"ExpectedSize": {func(o *processpool.DownloadOptions) { o.ExpectedSize = aws.Int64(int64(len(old))) }, s3test.PatternBytes(2, int64(len(old)))},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			origin.Put("b", "k", old)
			origin.Inject(s3test.Fault{Method: "GET", Times: 1, Delay: 400 * time.Millisecond, Cut: true, CutAfter: 600_000})
			origin.Inject(s3test.Fault{Method: "GET", Times: 1, Gate: make(chan struct{})})
			d := newDownloader(t, origin, processes(1), unhurried, func(c *processpool.Config) { c.Verify = processpool.VerifyOff })

			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), c.option)
			arrive(t, origin, 2, "GET")
			origin.Put("b", "k", c.want)
			signalWorkers(t, syscall.SIGKILL)
			if err := result(t, f); err != nil {
				t.Fatal(err)
			}
			wantContent(t, filepath.Join(dir, "file"), c.want)
			leak.Files(t, dir, "file")
		})
	}
}
