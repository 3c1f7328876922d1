package sink

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/internal/osfile"
	"github.com/s3processpool/processpool/internal/test/disk"
)

// tmpfs mounts a file system of size bytes.
func tmpfs(t *testing.T, size int64) (dir string) {
	t.Helper()
	dir = t.TempDir()
	disk.Tmpfs(t, dir, fmt.Sprint("size=", size))
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

// TestPreallocateRefused refuses both calls that preallocate. Only a storage that is full or broken
// is an error: otherwise the writes extend the file.
func TestPreallocateRefused(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL, unix.EPERM, unix.EACCES, unix.ENOTTY,
		unix.ENODEV, unix.EBADF, unix.ESPIPE, unix.ETXTBSY, unix.ENOSPC, unix.EDQUOT, unix.EFBIG, unix.EIO} {
		for _, also := range []unix.Errno{0, unix.EPERM, unix.ENOSYS, unix.ENOSPC, unix.EDQUOT, unix.EFBIG, unix.EIO} {
			target, dir := resolved(t, false)
			var truncated bool
			restore := target.System().SetFault(func(op, path string) error {
				switch {
				case op == "fallocate":
					return errno
				case op == "truncate":
					if truncated = true; also != 0 {
						return also
					}
				}
				return nil
			})
			_, err := download(target, "new")
			restore()
			want := also
			if osfile.OfStorage(errno) {
				want = errno
			} else if !osfile.OfStorage(also) {
				want = 0
			}
			if want == 0 && (err != nil || !truncated) || want != 0 && !errors.Is(err, want) {
				t.Errorf("%v, %v: got %v, truncated = %t", errno, also, err, truncated)
			}
			if want == 0 {
				content(t, target.Path(), "new")
				untouched(t, dir, "file")
			} else {
				untouched(t, dir)
			}
		}
	}
}

// TestShortFile publishes a file that no call has extended and no write has completed.
func TestShortFile(t *testing.T) {
	target, dir := resolved(t, false)
	defer target.System().SetFault(func(op, path string) error {
		if op == "fallocate" || op == "truncate" {
			return unix.EPERM
		}
		return nil
	})()
	temp := created(t, target, 10)
	if _, err := temp.File().WriteAt([]byte("short"), 0); err != nil {
		t.Fatal(err)
	}
	if err := temp.Publish(); err == nil {
		t.Error("published")
	}
	untouched(t, dir)
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
