package sink

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// tmpfs mounts a file system of size bytes.
func tmpfs(t *testing.T, size int64) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("size=", size)); err != nil {
		t.Skip("cannot mount: ", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestDiskFull(t *testing.T) {
	dir := tmpfs(t, 1<<20)
	path := filepath.Join(dir, "file")
	write(t, path, "old", 0o644)
	target, err := Resolve(nil, path)
	if err != nil {
		t.Fatal(err)
	}
	open := descriptors(t)
	for _, size := range []int64{1 << 20, 1<<20 + 1, 1 << 30, 1 << 60} {
		_, err := target.Create(size)
		if !errors.Is(err, syscall.ENOSPC) && !(size == 1<<60 && errors.Is(err, syscall.EFBIG)) {
			t.Errorf("size=%d: got %v, want %v", size, err, syscall.ENOSPC)
		}
		content(t, path, "old")
		untouched(t, dir, "file")
	}
	if got := descriptors(t); got != open {
		t.Errorf("%d descriptors are open, there were %d", got, open)
	}
	publish(t, target, "there is room for this")
}

func TestBlocksAreSetAside(t *testing.T) {
	dir := tmpfs(t, 16<<20)
	const size = 8<<20 + 1
	temp := created(t, Target{path: filepath.Join(dir, "file")}, size)
	info, err := temp.File().Stat()
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Sys().(*syscall.Stat_t).Blocks * 512; info.Size() != size || got < size {
		t.Errorf("the file has %d bytes and %d set aside, want %d", info.Size(), got, size)
	}
	temp.Discard()
}

func TestFallocateNotSupported(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL} {
		target, dir := resolved(t, false)
		var truncated bool
		restore := target.System().SetFault(func(op, path string) error {
			switch op {
			case "fallocate":
				return errno
			case "truncate":
				truncated = true
			}
			return nil
		})
		if _, err := download(target, "new"); err != nil || !truncated {
			t.Errorf("%v: got %v, truncated = %t", errno, err, truncated)
		}
		restore()
		content(t, target.Path(), "new")

		// The fallback can fail too.
		restore = target.System().SetFault(func(op, path string) error {
			switch op {
			case "fallocate":
				return errno
			case "truncate":
				return unix.EFBIG
			}
			return nil
		})
		if _, err := download(target, "newer"); !errors.Is(err, unix.EFBIG) {
			t.Errorf("%v: got %v, want %v", errno, err, unix.EFBIG)
		}
		restore()
		content(t, target.Path(), "new")
		untouched(t, dir, "file")
	}
}

func TestEmptyFileIsNotAllocated(t *testing.T) {
	target, _ := resolved(t, false)
	defer target.System().SetFault(func(op, path string) error {
		if op == "fallocate" || op == "truncate" { // fallocate of no bytes is EINVAL
			t.Error(op)
		}
		return nil
	})()
	publish(t, target, "")
}
