package faults_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// smallDisk mounts a file system of 1 MiB.
func smallDisk(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	disk.Tmpfs(t, dir, "size=1m")
	return dir
}

// A disk that is already full fails the download before the first GET.
func TestDiskIsFull(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), smallDisk(t)
	origin.PutContent("b", "k", 2*harness.MiB, s3test.Pattern(1))
	d := harness.NewDownloader(t, origin)

	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), syscall.ENOSPC)
	if n := len(harness.Requests(origin, "GET")); n != 0 {
		t.Errorf("got %d GETs, want none", n)
	}
	leak.Files(t, dir)
}

// A disk that becomes full fails the write of the worker. The library does not retry, because
// another request cannot help.
func TestDiskBecomesFull(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), smallDisk(t)
	origin.PutContent("b", "k", 8*harness.MiB, s3test.Pattern(1))
	d := harness.NewDownloader(t, origin, harness.Multipart(harness.MiB/2, harness.MiB/2), harness.Processes(1))
	harness.Fault(t, func(op, _ string) error {
		if op == "fallocate" {
			return syscall.EOPNOTSUPP // so that space is allocated only as it is needed
		}
		return nil
	})

	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), syscall.ENOSPC)
	harness.WantRanges(t, origin, "bytes=0-524287", "bytes=524288-1048575", "bytes=1048576-1572863")
	leak.Files(t, dir)
}
