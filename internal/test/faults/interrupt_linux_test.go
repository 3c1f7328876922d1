package faults_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	ossignal "os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func init() { harness.Register("interrupted", interrupted) }

// interrupted is an application that cancels a download on a signal, and then starts another one.
func interrupted(args []string) error {
	ctx, stop := ossignal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d, err := harness.NewProgramDownloader(args[0], harness.Unhurried)
	if err != nil {
		return err
	}
	first := d.DownloadFile(ctx, "b", "first", filepath.Join(args[1], "first")).Result()
	fmt.Println("canceled:", errors.Is(first, processpool.ErrCanceled))
	fmt.Println("next:", d.DownloadFile(context.Background(), "b", "next", filepath.Join(args[1], "next")).Result())
	return d.Shutdown()
}

// Ctrl-C signals the whole process group. SIGTERM signals the application alone, or all its
// processes. An application that handles the signal has its download canceled, has nothing left
// behind, and can go on.
func TestFaultInterrupt(t *testing.T) {
	for _, c := range []struct {
		name  string
		sig   syscall.Signal
		group int // -1 means the whole group
	}{{"Ctrl-C", syscall.SIGINT, -1}, {"SIGTERM", syscall.SIGTERM, 1}, {"SIGTERM to all", syscall.SIGTERM, -1}} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "first", harness.Content)
			origin.Put("b", "next", harness.Content)
			origin.Inject(s3test.Fault{Key: "first", Method: "GET", Stall: true})
			cmd := exec.Command("/proc/self/exe", "interrupted", origin.URL(), dir)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			var out strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			harness.Arrive(t, origin, 1, "GET")
			if err := syscall.Kill(c.group*cmd.Process.Pid, c.sig); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			if err := harness.Wait(t, ended, "the application's end"); err != nil {
				t.Error(err)
			}
			if got, want := out.String(), "canceled: true\nnext: <nil>\n"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			leak.Files(t, dir, "next")
		})
	}
}
