package faults_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// anew has all that may be asked of the destination.
func anew(o *processpool.DownloadOptions) {
	o.NoClobber, o.KeepModTime, o.Mode = true, true, 0o606 // which no umask leaves
}

// The destination appears between the last look at it and the rename, which is made of link and remove
// where the file system has no other. It stays, whatever it is.
func TestNoClobberRace(t *testing.T) {
	for _, c := range []struct {
		name  string
		lacks error // of the rename; nil: it is there
	}{
		{"rename", nil},
		{"link, ENOSYS", syscall.ENOSYS},
		{"link, EINVAL", syscall.EINVAL},
		{"link, EPERM", syscall.EPERM},
	} {
		for what, appear := range map[string]func(name string) error{
			"file":      func(name string) error { return os.WriteFile(name, []byte("another"), 0o600) },
			"directory": func(name string) error { return os.Mkdir(name, 0o700) },
			"link":      func(name string) error { return os.Symlink("nowhere", name) },
		} {
			for _, resume := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, resume=%t", c.name, what, resume), func(t *testing.T) {
					leak.Check(t)
					origin, dir := harness.StartOrigin(t), t.TempDir()
					want := s3test.PatternBytes(1, 100_000)
					origin.Put("b", "k", want)
					d := harness.Single(t, origin, 10_000)
					name := filepath.Join(dir, "file")
					var before fs.FileInfo
					restore := harness.Fault(t, func(op, _ string) error {
						if op != "rename" {
							return nil
						}
						err := appear(name)
						if err == nil {
							before, err = os.Lstat(name)
						}
						if err != nil {
							t.Error(err)
						}
						return c.lacks
					})
					err := harness.Download(t, d, "k", name, anew, func(o *processpool.DownloadOptions) { o.Resume = resume })
					restore()
					harness.WantError(t, err, processpool.ErrExists, fs.ErrExist)
					if op := err.(*processpool.TransferError).Op; op != processpool.OpPublish {
						t.Errorf("got the step %s, want %s", op, processpool.OpPublish)
					}
					after, err := os.Lstat(name)
					if err != nil || !os.SameFile(before, after) || after.Mode() != before.Mode() || !after.ModTime().Equal(before.ModTime()) {
						t.Errorf("the destination: got %v, %v, want it as it was", after, err)
					}
					if !resume {
						leak.Files(t, dir, "file")
						return
					}
					leak.Files(t, dir, "file", ".file.part", ".file.part.journal")
					if err := os.Remove(name); err != nil {
						t.Fatal(err)
					}
					harness.WantResumed(t, harness.Resumed(t, d, name, want), int64(len(want)))
				})
			}
		}
	}
}

// Each system call fails in its turn, those of link and remove too. In each case there is no file, and
// nothing is left behind, until a download passes.
func TestNoClobberEverySystemCallFails(t *testing.T) {
	for _, link := range []bool{false, true} {
		t.Run(fmt.Sprintf("link=%t", link), func(t *testing.T) {
			leak.Check(t)
			origin := harness.StartOrigin(t)
			at := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
			origin.Put("b", "k", harness.Content, func(o *s3test.Object) { o.LastModified = at })
			d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))
			calls := []string{"open", "stat", "chmod", "chtimes", "close", "rename"}
			if link {
				calls = append(calls, "link")
			}
			for _, call := range calls {
				nth := int32(1)
				for ; ; nth++ {
					var seen atomic.Int32
					restore := harness.Fault(t, func(op, _ string) error {
						if op == call && seen.Add(1) == nth {
							return syscall.EIO
						}
						if op == "rename" && link {
							return syscall.EINVAL
						}
						return nil
					})
					dir := t.TempDir()
					name := filepath.Join(dir, "file")
					err := harness.Download(t, d, "k", name, anew)
					restore()
					if seen.Load() < nth { // no call failed
						if err != nil {
							t.Errorf("no call failed: got %v, want nil", err)
						}
						harness.WantContent(t, name, harness.Content)
						leak.Files(t, dir, "file")
						if info, err := os.Stat(name); err != nil || !info.ModTime().Equal(at) {
							t.Errorf("got %v, %v, want %v", info.ModTime(), err, at)
						}
						break
					}
					harness.WantError(t, err, syscall.EIO)
					leak.Files(t, dir)
					if step := err.(*processpool.TransferError).Op; (step == processpool.OpChtimes) != (call == "chtimes") {
						t.Errorf("%s failed: got the step %s", call, step)
					}
				}
				if nth == 1 {
					t.Errorf("%s was never called", call)
				}
			}
		})
	}
}

// A file system that cannot set times or modes refuses a download that wants them, and no other.
func TestDestinationCannot(t *testing.T) {
	for op, set := range map[string]func(*processpool.DownloadOptions){
		"chtimes": func(o *processpool.DownloadOptions) { o.KeepModTime = true },
		"chmod":   func(o *processpool.DownloadOptions) { o.Mode = 0o606 }, // which no umask leaves
	} {
		for _, resume := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, resume=%t", op, resume), func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				origin.Put("b", "k", harness.Content)
				d := harness.NewDownloader(t, origin)
				name := filepath.Join(dir, "file")
				resumes := func(o *processpool.DownloadOptions) { o.Resume = resume }
				restore := harness.Fault(t, func(call, _ string) error {
					if call == op {
						return syscall.EPERM
					}
					return nil
				})
				defer restore()
				harness.WantError(t, harness.Download(t, d, "k", name, set, resumes), syscall.EPERM)
				if _, err := os.Lstat(name); err == nil {
					t.Error("got a file at the destination")
				}
				if !resume {
					leak.Files(t, dir)
				}
				if err := harness.Download(t, d, "k", name, resumes); err != nil {
					t.Errorf("without: got %v, want nil", err)
				}
				harness.WantContent(t, name, harness.Content)
				leak.Files(t, dir, "file")
			})
		}
	}
}
