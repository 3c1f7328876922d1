package faults_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// unwritten returns how many pages of the first bytes of a file are in memory, and how many of
// those are not on the disk yet.
func unwritten(t *testing.T, name string, bytes uint64) (cached, dirty uint64) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s unix.Cachestat_t
	if err := unix.Cachestat(uint(f.Fd()), &unix.CachestatRange{Len: bytes}, &s, 0); err != nil {
		t.Skipf("this kernel does not tell what is dirty: %v", err)
	}
	return s.Cache, s.Dirty + s.Writeback
}

// With Durable, the kernel begins to write a range to the disk as soon as it has arrived, and not
// with the fsync at the end of the file.
func TestDurableWritesAsRangesArrive(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil || fs.Type == unix.TMPFS_MAGIC {
		t.Skipf("%s is on no disk (%v)", dir, err)
	}
	object := s3test.PatternBytes(1, 8*harness.MiB)
	origin.Put("b", "k", object)
	last := make(chan struct{})
	origin.Inject(s3test.Fault{Range: "bytes=4194304-8388607", Gate: last})
	d := harness.NewDownloader(t, origin, harness.Durable, harness.Processes(2), harness.Multipart(4*harness.MiB, 4*harness.MiB))
	first := make(chan struct{})
	tell := sync.OnceFunc(func() { close(first) })
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.OnProgress = func(p processpool.Progress) {
			if p.BytesDone == 4*harness.MiB {
				tell()
			}
		}
	})
	harness.Wait(t, first, "the first range")
	temporary := harness.Temporary(t, dir, "file")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		cached, dirty := unwritten(t, temporary, 4*harness.MiB)
		if dirty == 0 && cached > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("%d of %d pages of the first range are still in memory only", dirty, cached)
			break
		}
	}
	close(last)
	if err := harness.Result(t, f); err != nil {
		t.Error(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), object)
}
