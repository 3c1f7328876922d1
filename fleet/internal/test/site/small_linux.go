package site

import (
	"os"
	"syscall"
	"testing"
)

// Small returns a directory with a disk of its own, of a size as mount(8) writes it. Where it cannot
// mount, the test is skipped.
func Small(t testing.TB, size string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can mount")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}
