package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/osfile"
)

// download takes a file from Create to SyncDir and reports whether it was published.
func download(target Target, text string) (published bool, err error) {
	temp, err := target.Create(int64(len(text)))
	if err != nil {
		return false, err
	}
	defer temp.Discard()
	if _, err := temp.File().WriteAt([]byte(text), 0); err != nil {
		return false, err
	}
	if err := temp.Sync(); err != nil {
		return false, err
	}
	if err := temp.Publish(); err != nil {
		return false, err
	}
	return true, temp.SyncDir()
}

// TestFailNth fails the first system call, then the second, and so on until the download passes.
func TestFailNth(t *testing.T) {
	for _, present := range []bool{false, true} {
		for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC, syscall.EACCES} {
			t.Run(fmt.Sprintf("present=%t/%v", present, errno), func(t *testing.T) {
				failed := map[string]bool{}
				for n := 0; ; n++ {
					op := failNth(t, present, errno, n)
					if op == "" {
						break
					}
					failed[op] = true
				}
				for _, op := range []string{"open", "stat", "fsync", "close", "rename", "syncdir"} {
					if !failed[op] {
						t.Errorf("%s never failed", op)
					}
				}
				if !failed["fallocate"] && !failed["truncate"] {
					t.Error("preallocation never failed")
				}
			})
		}
	}
}

// failNth fails only call n and returns its name, or "" if there were fewer calls.
func failNth(t *testing.T, present bool, errno syscall.Errno, n int) (failed string) {
	t.Helper()
	target, dir := resolved(t, present)
	open := descriptors(t)
	calls := 0
	restore := target.System().SetFault(func(op, path string) error {
		calls++
		if calls-1 != n {
			return nil
		}
		failed = op
		return errno
	})
	published, err := download(target, "new")
	restore()
	op := failed
	if errno == syscall.EACCES && slices.Contains([]string{"fallocate", "truncate", "lease", "syncdir"}, failed) {
		failed = "" // a service that this file system does not offer
	}
	if got := descriptors(t); got != open {
		t.Errorf("n=%d, %s: %d descriptors are open, there were %d", n, failed, got, open)
	}
	if failed == "" && err != nil || failed != "" && !errors.Is(err, errno) {
		t.Errorf("n=%d, %s: got %v, want %v", n, failed, err, errno)
	}
	if failed != "" && !strings.Contains(fmt.Sprint(err), failed+" ") {
		t.Errorf("n=%d: %v does not name %s", n, err, failed)
	}
	if want := failed == "" || failed == "syncdir"; published != want {
		t.Errorf("n=%d, %s: published = %t, want %t", n, failed, published, want)
	}
	switch {
	case published:
		content(t, target.Path(), "new")
		untouched(t, dir, "file")
	case present:
		content(t, target.Path(), "old")
		untouched(t, dir, "file")
	default:
		untouched(t, dir)
	}
	return op
}

// TestFailRemove leaves a temporary file, which cannot be avoided, and nothing else.
func TestFailRemove(t *testing.T) {
	target, dir := resolved(t, true)
	open := descriptors(t)
	var left string
	defer target.System().SetFault(func(op, path string) error {
		switch op {
		case "rename":
			return syscall.EXDEV
		case "remove":
			left = path
			return syscall.EPERM
		}
		return nil
	})()
	if _, err := download(target, "new"); !errors.Is(err, syscall.EXDEV) {
		t.Errorf("got %v, want the first error, %v", err, syscall.EXDEV)
	}
	if got := descriptors(t); got != open {
		t.Errorf("%d descriptors are open, there were %d", got, open)
	}
	content(t, target.Path(), "old")
	untouched(t, dir, "file", filepath.Base(left))
}

func TestNameTaken(t *testing.T) {
	target, dir := resolved(t, false)
	var tried []string
	taken := draws - 1
	restore := target.System().SetFault(func(op, path string) error {
		if op != "open" {
			return nil
		}
		if tried = append(tried, path); len(tried) <= taken {
			return fs.ErrExist
		}
		return nil
	})
	defer restore()
	if _, err := download(target, "new"); err != nil {
		t.Errorf("the last name is free: %v", err)
	}
	if slices.Sort(tried); len(slices.Compact(tried)) != draws {
		t.Errorf("%d names were tried, want %d", len(tried), draws)
	}
	taken, tried = 1000, nil
	if _, err := download(target, "newer"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("every name is taken: got %v, want %v", err, fs.ErrExist)
	}
	if len(tried) != draws {
		t.Errorf("%d names were tried, want %d", len(tried), draws)
	}
	content(t, target.Path(), "new")
	untouched(t, dir, "file")
}

// TestShortNames uses a file system whose names have at most 143 bytes, and one whose limit is too
// small for any temporary file.
func TestShortNames(t *testing.T) {
	most, tried := 143, 0
	sys := &osfile.System{}
	defer sys.SetFault(func(op, path string) error {
		if op == "open" {
			tried++
			if len(filepath.Base(path)) > most {
				return syscall.ENAMETOOLONG
			}
		}
		return nil
	})()
	for _, length := range []int{134, 135, most} {
		dir := t.TempDir()
		base := strings.Repeat("n", length)
		target, err := Resolve(sys, filepath.Join(dir, base))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := download(target, "new"); err != nil {
			t.Errorf("length=%d: %v", length, err)
		}
		untouched(t, dir, base)
	}
	most, tried = 8, 0
	dir := t.TempDir()
	target, err := Resolve(sys, filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := download(target, "new"); !errors.Is(err, syscall.ENAMETOOLONG) {
		t.Errorf("got %v, want %v", err, syscall.ENAMETOOLONG)
	}
	if tried != 2 {
		t.Errorf("%d names were tried, want 2", tried)
	}
	untouched(t, dir)
}

// descriptors returns the number of open descriptors, or 0 on systems that do not tell.
func descriptors(t *testing.T) int {
	t.Helper()
	// The runtime opens its poller with the first pipe, and keeps it open.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
