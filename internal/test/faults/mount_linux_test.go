package faults_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func refuse(errno syscall.Errno, calls ...string) disk.Options {
	o := disk.Options{Refuse: map[string]syscall.Errno{}}
	for _, call := range calls {
		o.Refuse[call] = errno
	}
	return o
}

// A file system without fsync: a download resumes, and the log says once what that is worth.
func TestResumeWithoutSync(t *testing.T) {
	for _, errno := range []syscall.Errno{unix.EOPNOTSUPP, unix.EINVAL, unix.EROFS} {
		t.Run(errno.Error(), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			disk.Mount(t, dir, refuse(errno, "fsync", "fsyncdir"))
			want := s3test.PatternBytes(1, 400_000)
			origin.Put("b", "k", want)
			var log harness.Log
			d := harness.Single(t, origin, 50_000, log.Config)
			name := filepath.Join(dir, "file")
			for _, at := range []int64{100_000, 300_000} {
				harness.Interrupt(t, origin, d, name, at)
			}
			harness.WantResumed(t, harness.Resumed(t, d, name, want), 300_000)
			if n := strings.Count(log.String(), "the file system cannot sync files"); n < 2 || n > 3 {
				t.Errorf("got %d warnings of 3 downloads, want one of each that has synced:\n%s", n, log.String())
			}
		})
	}
}

// Durable needs fsync. Without it the download ends before bytes are fetched, with or without
// Resume, and the error says what to do.
func TestDurableWithoutSync(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	disk.Mount(t, dir, refuse(unix.EOPNOTSUPP, "fsync"))
	origin.Put("b", "k", s3test.PatternBytes(1, 400_000))
	d := harness.NewDownloader(t, origin, harness.Durable)
	for _, err := range []error{
		harness.Download(t, d, "k", filepath.Join(dir, "file")),
		harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.Resume),
		harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.SkipHead),
	} {
		harness.WantError(t, err, unix.EOPNOTSUPP, errors.ErrUnsupported)
		if !strings.Contains(err.Error(), "without Durable") {
			t.Errorf("got %q, want it to say what to do", err)
		}
	}
	if n := len(harness.Requests(origin, "GET")); n != 0 {
		t.Errorf("got %d GETs, want none", n)
	}
	leak.Files(t, dir)
}

// A directory that cannot be synced is no reason against Durable.
func TestDurableWithoutSyncDir(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	disk.Mount(t, dir, refuse(unix.EINVAL, "fsyncdir"))
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Durable)
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Error(err)
	}
	leak.Files(t, dir, "file")
}

// A file system that offers nothing but the storage of bytes.
func TestPlainFileSystem(t *testing.T) {
	for _, errno := range []syscall.Errno{unix.EOPNOTSUPP, unix.EPERM, unix.EINVAL, unix.EACCES} {
		t.Run(errno.Error(), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			disk.Mount(t, dir, refuse(errno, "fsync", "fsyncdir", "fallocate", "truncate", "chmod", "setxattr", "flock"))
			want := s3test.PatternBytes(1, 400_000)
			origin.Put("b", "k", want)
			d := harness.Single(t, origin, 50_000)
			name := filepath.Join(dir, "file")
			if err := harness.Download(t, d, "k", name); err != nil {
				t.Error(err)
			}
			harness.WantContent(t, name, want)
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			harness.Interrupt(t, origin, d, name, 300_000)
			harness.WantResumed(t, harness.Resumed(t, d, name, want), 300_000)
		})
	}
}

// A quota that is exceeded, when the file is preallocated or, where that is impossible, when a
// worker writes to it. The error is the same and nothing is left, but what Resume keeps.
func TestQuotaExceeded(t *testing.T) {
	for _, calls := range [][]string{nil, {"fallocate", "truncate"}} {
		t.Run(fmt.Sprintf("without=%v", calls), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			o := refuse(unix.EOPNOTSUPP, calls...)
			o.Quota = 200_000
			disk.Mount(t, dir, o)
			origin.Put("b", "k", s3test.PatternBytes(1, 400_000))
			d := harness.Single(t, origin, 50_000)
			name := filepath.Join(dir, "file")
			err := harness.Download(t, d, "k", name)
			harness.WantError(t, err, unix.EDQUOT)
			if n := strings.Count(err.Error(), "quota exceeded"); n != 1 {
				t.Errorf("got %q, want the reason once", err)
			}
			if n := len(harness.Requests(origin, "GET")); (n > 0) != (calls != nil) {
				t.Errorf("got %d GETs", n)
			}
			leak.Files(t, dir)

			harness.WantError(t, harness.Download(t, d, "k", name, harness.Resume), unix.EDQUOT)
			if calls == nil {
				leak.Files(t, dir)
			} else {
				leak.Files(t, dir, ".file.part", ".file.part.journal")
			}
		})
	}
}

// No inodes are left for the temporary file, for the journal, or for the partial file beside it.
func TestNoInodes(t *testing.T) {
	for _, free := range []int{0, 1} {
		t.Run(fmt.Sprintf("free=%d", free), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			disk.Tmpfs(t, dir, fmt.Sprintf("nr_inodes=%d", 2+free)) // the directory itself has one
			if err := os.WriteFile(filepath.Join(dir, "other"), nil, 0o666); err != nil {
				t.Fatal(err)
			}
			origin.Put("b", "k", s3test.PatternBytes(1, 400_000))
			d := harness.NewDownloader(t, origin)
			name := filepath.Join(dir, "file")
			errs := []error{harness.Download(t, d, "k", name, harness.Resume)}
			if free == 0 {
				errs = append(errs, harness.Download(t, d, "k", name))
			}
			for _, err := range errs {
				harness.WantError(t, err, unix.ENOSPC)
				if n := strings.Count(err.Error(), "no space left"); n != 1 {
					t.Errorf("got %q, want the reason once", err)
				}
				leak.Files(t, dir, "other")
			}
			if n := len(harness.Requests(origin, "GET")); n != 0 {
				t.Errorf("got %d GETs, want none", n)
			}
		})
	}
}
