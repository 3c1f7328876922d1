package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// wrappers are commands that start the program "$@" as a worker, and lose some of its marks.
var wrappers = map[string]string{
	"environment":                  `exec env -i "$@"`,
	"descriptor":                   `exec "$@" 3>&-`,
	"both":                         `exec env -i "$@" 3>&-`,
	"both, and it is a grandchild": `env -i "$@" 3>&-; exit`,
	"both, and its parent":         `(env -i "$@" 3>&- &) | cat`,
	"environment and timer slack":  `echo 50000 >/proc/$$/timerslack_ns; exec env -i "$@"`,
}

func init() { harness.Register("wrapped", wrapped) }

// wrapped is an application that calls no ServeWorker, and has a wrapper start its own executable.
// It adds a line to the file starts.
func wrapped(args []string) error {
	url, starts, wrapper, slots := args[0], args[1], args[2], args[3]
	f, err := os.OpenFile(starts, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintln(f, os.Getpid())
	if text, err := os.ReadFile(starts); err != nil || len(text) > 4096 {
		return fmt.Errorf("too many starts, or %w", err) // the machine must outlive a failure of this test
	}
	d, err := harness.NewProgramDownloader(url, func(c *processpool.Config) {
		c.WorkerCommand = append([]string{"/bin/sh", "-c", wrapper, "sh", os.Args[0], "wrapped"}, args...)
		c.RequestsPerProcess = len(slots)
	})
	if err != nil {
		fmt.Fprintln(f, "refused:", err)
		return err
	}
	defer d.Shutdown()
	return d.Start()
}

// A wrapper of Config.WorkerCommand loses marks of the worker, and the program behind it is the
// application: it must not have workers of its own. That they are started without end would be seen
// in the number of starts: here it is three of each of the two seats, and the first.
func TestWrapperThatLosesMarks(t *testing.T) {
	for name, wrapper := range wrappers {
		for _, slots := range []string{"1", "22"} {
			t.Run(name+",slots="+slots, func(t *testing.T) {
				t.Parallel()
				starts := filepath.Join(t.TempDir(), "starts")
				cmd := exec.Command(os.Args[0], "wrapped", "http://127.0.0.1:9", starts, wrapper, slots)
				out, err := cmd.CombinedOutput()
				if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 {
					t.Errorf("the application: got %v, want exit status 1", err)
				}
				if !strings.Contains(string(out), "worker") || !strings.Contains(string(out), "ServeWorker") {
					t.Errorf("got %q, want an error that says what is wrong", out)
				}
				data, err := os.ReadFile(starts)
				if err != nil {
					t.Fatal(err)
				}
				mains := strings.Count(string(data), "\n") - strings.Count(string(data), "refused: ")
				if refused := strings.Count(string(data), "refused: "); refused != mains-1 || mains < 2 || mains > 7 {
					t.Errorf("main ran %d times, and was refused %d times; want 2 to 7, and all but the first", mains, refused)
				}
			})
		}
	}
}

func init() {
	harness.Register("child", func(args []string) error {
		d, err := harness.NewProgramDownloader(args[0])
		if err != nil {
			return err
		}
		defer d.Shutdown()
		return d.DownloadFile(context.Background(), "b", "k", args[1]).Result()
	})
}

// An application with a pool starts programs that have pools of their own, the same executable
// among them.
func TestApplicationOfAnApplication(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	// Other programs' parents also talk to them over a Unix socket that is descriptor 3, as Node.js
	// does.
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer ours.Close()
	defer theirs.Close()
	if _, err := ours.WriteString(`{"cmd":"processpool"}` + "\n"); err != nil {
		t.Fatal(err)
	}
	for i, change := range []func(*exec.Cmd){
		func(*exec.Cmd) {},
		func(cmd *exec.Cmd) { cmd.Env = []string{"HOME=/"} },
		func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{theirs} },
		func(cmd *exec.Cmd) { cmd.Args = append([]string{"/bin/sh", "-c", `"$@" & wait $!`, "sh"}, cmd.Args...) },
	} {
		name := fmt.Sprint("file", i)
		cmd := exec.Command(os.Args[0], "child", origin.URL(), filepath.Join(dir, name))
		change(cmd)
		cmd.Path = cmd.Args[0]
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%q: %v: %s", cmd.Args, err, out)
			continue
		}
		harness.WantContent(t, filepath.Join(dir, name), harness.Content)
	}
}
