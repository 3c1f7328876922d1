package faults_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// application URL FILE downloads b/k to the file and prints the result. It exits without Shutdown
// when its standard input ends first.
func application(args []string) error {
	d, err := harness.NewProgramDownloader(args[0], harness.Unhurried)
	if err != nil {
		return err
	}
	f := d.DownloadFile(context.Background(), "b", "k", args[1])
	left := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(left)
	}()
	select {
	case <-left:
		return nil
	case <-f.Done():
	}
	fmt.Println("result:", f.Result())
	return d.Shutdown()
}

func init() { harness.Register("application", application) }

func startApplication(t *testing.T, origin *s3test.Server, filename string, attributes *syscall.SysProcAttr) (*exec.Cmd, io.WriteCloser, *strings.Builder) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "application", origin.URL(), filename)
	cmd.SysProcAttr = attributes
	out := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = out, out
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("the application cannot be started: %v", err)
	}
	t.Cleanup(func() { stdin.Close() })
	return cmd, stdin, out
}

// No worker outlives the application, however that ends.
func TestNoOrphans(t *testing.T) {
	if signal.Ignored(os.Interrupt) { // by the shell, which runs the tests in the background; a child would ignore it, too
		c := make(chan os.Signal, 1)
		signal.Notify(c, os.Interrupt)
		defer signal.Stop(c)
	}
	for _, c := range []struct {
		name string
		end  func(cmd *exec.Cmd, stdin io.Closer) error
	}{
		{"SIGKILL", func(cmd *exec.Cmd, _ io.Closer) error { return cmd.Process.Kill() }},
		{"exit without Shutdown", func(_ *exec.Cmd, stdin io.Closer) error { return stdin.Close() }},
		{"Ctrl-C", func(cmd *exec.Cmd, _ io.Closer) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			origin.Inject(s3test.Fault{Method: "GET", Stall: true})
			cmd, stdin, out := startApplication(t, origin, filepath.Join(dir, "file"), &syscall.SysProcAttr{Setpgid: true})
			harness.Arrive(t, origin, 1, "GET")
			var workers []int // as descriptors, because the kernel reuses process numbers
			for _, pid := range harness.Children(t, cmd.Process.Pid) {
				fd, err := unix.PidfdOpen(pid, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer unix.Close(fd)
				workers = append(workers, fd)
			}
			if len(workers) == 0 {
				t.Fatal("the application has no workers")
			}
			if err := c.end(cmd, stdin); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			for _, fd := range workers {
				if !exits(t, fd) {
					t.Errorf("a worker outlives its application by 10 s; output %q", out)
				}
			}
			// No process is left to remove the temporary file, and none may have renamed it.
			if _, err := os.Lstat(filepath.Join(dir, "file")); err == nil {
				t.Error("got a file at the destination")
			}
		})
	}
}

// exits waits for the end of a process.
func exits(t *testing.T, pidfd int) bool {
	t.Helper()
	poll := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(poll, 10_000)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return n == 1
	}
}

// A directory without write permission. If this process is root, the application runs as another
// user.
func TestDestinationIsReadOnly(t *testing.T) {
	for _, c := range []struct {
		mode os.FileMode
		want string
	}{{0o555, "permission denied"}, {0o777, "<nil>"}} {
		t.Run(fmt.Sprintf("mode=%o", c.mode), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, c.mode)); err != nil {
				t.Fatal(err)
			}
			attributes := &syscall.SysProcAttr{}
			if os.Getuid() == 0 {
				attributes.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
			}
			cmd, _, out := startApplication(t, origin, filepath.Join(dir, "file"), attributes)
			if err := cmd.Wait(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got := out.String(); !strings.HasPrefix(got, "result: ") || !strings.HasSuffix(got, c.want+"\n") {
				t.Errorf("got %q, want %s", got, c.want)
			}
			if c.want == "<nil>" {
				harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
				leak.Files(t, dir, "file")
				return
			}
			leak.Files(t, dir)
		})
	}
}
