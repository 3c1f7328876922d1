package faults_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// limit sets a soft limit of the only worker, and returns the process ID of the worker.
func limit(t *testing.T, resource int, n uint64) (pid int) {
	t.Helper()
	pids := harness.Children(t, os.Getpid())
	if len(pids) != 1 {
		t.Fatalf("got workers %v, want one", pids)
	}
	var old unix.Rlimit
	err := unix.Prlimit(pids[0], resource, nil, &old)
	if err == nil {
		err = unix.Prlimit(pids[0], resource, &unix.Rlimit{Cur: min(n, old.Max), Max: old.Max}, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pids[0]
}

// lowest returns the descriptor that a process would get next.
func lowest(t *testing.T, pid int) (fd uint64) {
	t.Helper()
	for ; ; fd++ {
		if _, err := os.Lstat(fmt.Sprintf("/proc/%d/fd/%d", pid, fd)); errors.Is(err, os.ErrNotExist) {
			return fd
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever signal ends a worker in the middle of a range, another worker continues the range.
func TestFaultEndsAWorker(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGABRT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			origin.Inject(s3test.Fault{Method: "GET", Times: 1, Stall: true, StallAfter: 5})
			var log harness.Log
			d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Unhurried, log.Config)
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
			harness.Arrive(t, origin, 1, "GET")
			harness.SignalWorkers(t, sig)
			if err := harness.Result(t, f); err != nil {
				t.Error(err)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
			if n := len(log.Records(t, "worker lost")); n != 1 {
				t.Errorf("got %d workers lost, want 1", n)
			}
			leak.Files(t, dir, "file")
			harness.WantNext(t, origin, d)
		})
	}
}

// A worker that gets no more memory dies, and is replaced like one that is killed. The buffers of
// eight requests exceed the limit.
func TestFaultOutOfMemory(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 16*harness.MiB)
	origin.Put("b", "k", want)
	var log harness.Log
	d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Multipart(harness.MiB, harness.MiB), log.Config,
		func(c *processpool.Config) { c.RequestsPerProcess = 8 })
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	pid := limit(t, unix.RLIMIT_AS, 0)
	limit(t, unix.RLIMIT_DATA, 0)
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Error(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), want)
	if slices.Contains(harness.Children(t, os.Getpid()), pid) || len(log.Records(t, "worker lost")) != 1 {
		t.Errorf("the worker was not lost over its memory: the test does not test\n%s", log.String())
	}
	leak.Files(t, dir, "file")
	harness.WantNext(t, origin, d)
}

// A file size limit of a worker is an error of its write; SIGXFSZ does not end the worker.
func TestFaultFileSizeOfAWorker(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.PutContent("b", "k", 4*harness.MiB, s3test.Pattern(1))
	d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Multipart(harness.MiB, harness.MiB))
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	pid := limit(t, unix.RLIMIT_FSIZE, 2*harness.MiB+1)
	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), syscall.EFBIG)
	leak.Files(t, dir)
	harness.WantNext(t, origin, d)
	if got := harness.Children(t, os.Getpid()); !slices.Equal(got, []int{pid}) {
		t.Errorf("got workers %v, want still %d", got, pid)
	}
}

// A worker that has no descriptor left for a connection reports that.
func TestFaultNoDescriptorForAConnection(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Quickly)
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	limit(t, unix.RLIMIT_NOFILE, 0)
	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), processpool.ErrRetriesExceeded, syscall.EMFILE)
	leak.Files(t, dir)
	limit(t, unix.RLIMIT_NOFILE, 1024)
	harness.WantNext(t, origin, d)
}

// A worker that has no descriptor left for the temporary file is lost: the kernel drops the
// descriptor, and the job with it. Another worker takes the range.
func TestFaultNoDescriptorForTheFile(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "HEAD", Times: 1, Gate: gate})
	var log harness.Log
	d := harness.NewDownloader(t, origin, harness.Processes(1), log.Config)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 1, "HEAD")
	limit(t, unix.RLIMIT_NOFILE, lowest(t, harness.Children(t, os.Getpid())[0]))
	close(gate)
	if err := harness.Result(t, f); err != nil {
		t.Error(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	if n := len(log.Records(t, "worker lost")); n != 1 {
		t.Errorf("got %d workers lost, want 1", n)
	}
	leak.Files(t, dir, "file")
	harness.WantNext(t, origin, d)
}

// Workers that die right after their start are started a limited number of times, and the waiting
// downloads fail with the reason.
func TestFaultCrashAtEachStart(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	starts := filepath.Join(t.TempDir(), "starts")
	d := harness.NewDownloader(t, origin, harness.Processes(2), func(c *processpool.Config) {
		c.WorkerCommand = []string{"sh", "-c", `echo >>"$0"; echo no room >&2; kill -SEGV $$`, starts}
	})
	for round := 1; round <= 2; round++ {
		harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), processpool.ErrWorkerLost)
		data, err := os.ReadFile(starts)
		if n := len(data); err != nil || n > round*3*2 {
			t.Errorf("round %d: got %d starts, %v, want at most 3 of each seat in each round", round, n, err)
		}
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	leak.Files(t, dir)
}
