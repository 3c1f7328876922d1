package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

// The container image of release/Dockerfile downloads an object. Where no engine is at hand, its file
// tree is put together all the same, and runs under chroot.
func TestContainer(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles everything anew the first time")
	}
	origin := startOrigin(t)
	data := s3test.PatternBytes(1, 3<<20)
	origin.Put("b", "k", data)
	run := chroot
	if engine := engine(); engine != "" {
		run = func(t *testing.T, args ...string) (*exec.Cmd, string) { return container(t, engine, args...) }
	}

	cmd, _ := run(t, "version")
	wantText(t, "version", output(t, cmd), "s3get ")
	cmd, files := run(t, "--endpoint", origin.URL(), "--no-sign-request", "--chunk", "1MiB", "--threshold", "1MiB", "s3://b/k", "file")
	output(t, cmd)
	wantContent(t, filepath.Join(files, "file"), string(data))
}

// engine returns a container engine that answers, or "".
func engine() string {
	for _, name := range []string{"docker", "podman"} {
		if exec.Command(name, "info").Run() == nil {
			return name
		}
	}
	return ""
}

func container(t *testing.T, engine string, args ...string) (cmd *exec.Cmd, files string) {
	t.Helper()
	image := "localhost/s3get-test"
	output(t, exec.Command(engine, "build", "-q", "-f", "release/Dockerfile", "-t", image, filepath.Join("..", "..")))
	files = t.TempDir()
	if err := os.Chmod(files, 0o777); err != nil {
		t.Fatal(err)
	}
	fixed := []string{"run", "--rm", "--network", "host", "--read-only", "-v", files + ":/data", image}
	return exec.Command(engine, append(fixed, args...)...), files
}

func chroot(t *testing.T, args ...string) (cmd *exec.Cmd, files string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("neither a container engine nor root")
	}
	root := t.TempDir()
	output(t, exec.Command("release/rootfs", root))
	// The directories of the test are root's alone.
	for dir := root; strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// What engines mount into each container.
	mount(t, "proc", filepath.Join(root, "proc"), "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC)
	write(t, filepath.Join(root, "dev", "null"), "")
	mount(t, "/dev/null", filepath.Join(root, "dev", "null"), "", syscall.MS_BIND)
	cmd = exec.Command("/s3get", args...)
	cmd.Dir, cmd.Env = "/data", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	return cmd, filepath.Join(root, "data")
}

func mount(t *testing.T, source, target, kind string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount(source, target, kind, flags, ""); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(target, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
}
