package disk

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Tmpfs mounts a tmpfs on dir, which must exist, with the options of tmpfs(5), such as
// "size=1m,nr_inodes=8". The mount ends with the test.
func Tmpfs(t *testing.T, dir, options string) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		skip(t, err != unix.EPERM, "no tmpfs can be mounted here: %v", err)
	}
	unmount(t, dir)
}

// skip skips the test. Where CI is "true", it fails the test if the machine could run it.
func skip(t *testing.T, could bool, format string, args ...any) {
	t.Helper()
	if could && os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Dir returns a directory that is not in memory.
func Dir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	if uint32(fs.Type) == unix.TMPFS_MAGIC || uint32(fs.Type) == unix.RAMFS_MAGIC {
		Ext4(t, dir, "extents")
	}
	return dir
}

// Fold makes a directory of an ext4 with the feature casefold equate names that differ by case.
func Fold(t *testing.T, dir string) {
	t.Helper()
	run(t, "chattr", "+F", dir)
}

func unmount(t *testing.T, dir string) {
	t.Helper()
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := tool(t, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// tool returns a command. It skips the test where the program is missing.
func tool(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		skip(t, os.Geteuid() == 0, "%v: .ci/run installs it", err)
	}
	return exec.Command(path, args...)
}

// AnotherUser makes a command run as a user without privileges, and returns a new directory of that
// user. Only root can become another user; anybody else is one without privileges already.
func AnotherUser(t *testing.T, cmd *exec.Cmd) (dir string) {
	t.Helper()
	const nobody = 65534
	dir, err := os.MkdirTemp("", "processpool-test-") // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if os.Geteuid() != 0 {
		return dir
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Skipf("no other user here: %v", err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return dir
}
