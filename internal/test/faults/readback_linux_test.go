package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// readerKiller kills workers while they read a file back.
type readerKiller struct {
	t     *testing.T
	most  int32 // workers to kill
	reads atomic.Int32
	kills atomic.Int32
	wait  sync.WaitGroup
	stop  chan struct{}
	after func() // fails the test unless the next download succeeds
}

// config has the killer wait for the worker that reads, each time that a file is to be read back.
func (k *readerKiller) config(c *processpool.Config) {
	harness.OnRecord{Message: "the file is read back", Call: func() {
		if k.reads.Add(1); k.kills.Load() == k.most {
			return
		}
		before := map[int]int64{} // bytes read by each worker
		for _, pid := range harness.Children(k.t, os.Getpid()) {
			before[pid] = bytesRead(pid)
		}
		k.wait.Go(func() { k.kill(before) })
	}}.Config(c)
}

// kill kills the first worker that has read 4 MiB more than before.
func (k *readerKiller) kill(before map[int]int64) {
	for {
		for pid, n := range before {
			if bytesRead(pid) < n+4*harness.MiB {
				continue
			}
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				k.kills.Add(1)
			}
			return
		}
		select {
		case <-k.stop:
			return
		case <-time.After(100 * time.Microsecond):
		}
	}
}

// bytesRead returns how many bytes a process has read (proc_pid_io(5)).
func bytesRead(pid int) (n int64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	fmt.Sscanf(string(text), "rchar: %d", &n)
	return n
}

// slow expects digests that need a quarter of a second for the object of these tests, all together.
var slow = sync.OnceValue(func() func(*processpool.DownloadOptions) {
	return harness.Digests(s3test.PatternBytes(3, readSize), "SHA512", "MD5", "SHA256", "SHA1")
})

const readSize = 64 * harness.MiB

// download downloads b/k until a download has lost as many workers as wanted: on a busy machine the
// killer may come too late. It returns the last download's Future.
func (k *readerKiller) download(name string, optFns ...func(*processpool.DownloadOptions)) *processpool.Future {
	k.t.Helper()
	origin := harness.StartOrigin(k.t)
	origin.PutContent("b", "k", readSize, s3test.Pattern(3))
	d := harness.NewDownloader(k.t, origin, k.config)
	k.after = func() { harness.WantNext(k.t, origin, d) }
	for range 10 {
		k.reads.Store(0)
		k.kills.Store(0)
		k.stop = make(chan struct{})
		f := d.DownloadFile(k.t.Context(), "b", "k", name, append(optFns, slow())...)
		harness.Result(k.t, f)
		close(k.stop)
		k.wait.Wait()
		if k.kills.Load() == k.most && (f.Result() != nil || k.reads.Load() > k.most) {
			return f
		}
		os.Remove(name)
	}
	k.t.Fatal("no worker was killed in time")
	return nil
}

// A worker that is killed while it reads a file back costs nothing but time.
func TestWorkerKilledReadingBack(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	k := &readerKiller{t: t, most: 2}
	f := k.download(filepath.Join(dir, "file"), harness.Resume)
	if err := f.Result(); err != nil {
		t.Fatal(err)
	}
	if got := f.Object().Verified; got != "SHA512 expected" {
		t.Errorf("Verified: got %q", got)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), s3test.PatternBytes(3, readSize))
	leak.Files(t, dir, "file")
}

// A file that costs three workers their lives is an error, and the pool lives on.
func TestReadingBackKills(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	k := &readerKiller{t: t, most: 3}
	err := k.download(filepath.Join(dir, "file")).Result()
	harness.WantError(t, err, processpool.ErrWorkerLost)
	if want := "read s3://b/k"; !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "has cost 3 workers") {
		t.Errorf("got %v, want %q in it", err, want)
	}
	leak.Files(t, dir)
	k.after()
}

// A connection that breaks off, and a worker that dies over a range, change nothing of the digests.
func TestExpectSurvives(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault s3test.Fault
		kill  bool
	}{
		{"connection cut", s3test.Fault{Method: "GET", Cut: true, CutAfter: 50_000, Times: 3}, false},
		{"worker killed", s3test.Fault{Method: "GET", Stall: true, StallAfter: 50_000, Times: 1}, true},
		{"another range", s3test.Fault{Method: "GET", ShiftRange: 1, LieRange: true, ExtraBytes: 1, Times: 1, Header: map[string]string{"Content-Length": ""}}, false},
	} {
		for _, chunk := range []int64{100_000, 1_000_000} {
			t.Run(fmt.Sprintf("%s/chunk=%d", c.name, chunk), func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				content := s3test.PatternBytes(4, 450_000)
				origin.Put("b", "k", content, s3test.WithChecksum("", ""), s3test.WithoutETag())
				origin.Inject(c.fault)
				d := harness.Single(t, origin, chunk)
				f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), harness.Digests(content, "CRC32C", "SHA256", "XXHASH3"))
				if c.kill {
					harness.Arrive(t, origin, 1, "GET")
					harness.SignalWorkers(t, syscall.SIGKILL)
				}
				if err := harness.Result(t, f); err != nil {
					t.Fatal(err)
				}
				harness.WantContent(t, filepath.Join(dir, "file"), content)
				leak.Files(t, dir, "file")
			})
		}
	}
}
