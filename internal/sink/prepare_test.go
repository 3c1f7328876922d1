package sink

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

// TestCannotSync needs fsync on a file system that has none. Create and Sync return the same error,
// Create does so before it allocates a byte.
func TestCannotSync(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOTSUP, syscall.EINVAL, syscall.ENOSYS, syscall.EROFS, syscall.EPERM} {
		target, dir := resolved(t, true)
		plain := created(t, target, 1)
		target.System().SetFault(func(op, _ string) error {
			switch op {
			case "fsync", "fdatasync":
				return errno
			case "fallocate", "truncate":
				t.Errorf("%v: %s", errno, op)
			}
			return nil
		})
		_, err := target.Durable().Create(1)
		for step, err := range map[string]error{"Create": err, "Sync": plain.Sync()} {
			if !errors.Is(err, ErrCannotSync) || !errors.Is(err, errno) || !strings.HasPrefix(err.Error(), "fsync ") {
				t.Errorf("%s: got %v, want ErrCannotSync of %v", step, err, errno)
			}
		}
		plain.Discard()
		content(t, target.Path(), "old")
		untouched(t, dir, "file")
	}
}

// TestCanSyncOnce creates several durable files. Only the first is synced to see whether that is
// possible. A broken disk is not an impossible fsync.
func TestCanSyncOnce(t *testing.T) {
	target, _ := resolved(t, false)
	target = target.Durable()
	var syncs int
	fault := syscall.EIO
	target.System().SetFault(func(op, _ string) error {
		if op == "fsync" {
			if syncs++; syncs == 1 {
				return fault
			}
		}
		return nil
	})
	if _, err := target.Create(1); !errors.Is(err, fault) || errors.Is(err, ErrCannotSync) {
		t.Errorf("got %v, want %v", err, fault)
	}
	for range 3 {
		created(t, target, 1)
	}
	if syncs < 2 || syncs > 2 && known(t, target) {
		t.Errorf("got %d calls of fsync, want 2", syncs)
	}
}

// known reports whether the system tells on which device a file is.
func known(t *testing.T, target Target) bool {
	t.Helper()
	temp := created(t, target, 0)
	asked := false
	target.System().SetFault(func(op, _ string) error {
		asked = true
		return nil
	})
	if err := target.System().CanSync(temp.File(), temp.info); err != nil {
		t.Fatal(err)
	}
	return !asked
}
