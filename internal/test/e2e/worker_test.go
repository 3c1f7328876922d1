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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
)

func init() {
	harness.Register("worker-with-header", func([]string) error {
		return processpool.ServeWorker(s3.WithAPIOptions(smithyhttp.AddHeaderValue("X-Of-The-Worker", "here")))
	})
	harness.Register("worker-that-fails", func([]string) error {
		return errors.New("no licence for this host")
	})
	harness.Register("worker-that-downloads", func([]string) error {
		_, err := processpool.NewDownloader(aws.Config{Region: "us-east-1"})
		return fmt.Errorf("a pool in a worker: %w", err)
	})
}

// runs makes the pool run one of the registered programs as its workers.
func runs(program string) func(*processpool.Config) {
	return func(c *processpool.Config) { c.WorkerCommand = []string{os.Args[0], program} }
}

// ServeWorker makes a program a worker, with client options of its own.
func TestServeWorker(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, runs("worker-with-header"), harness.Multipart(5, 5))

	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	leak.Files(t, dir, "file")
	for _, r := range origin.Requests() {
		if got := r.Header.Get("X-Of-The-Worker"); got != "here" || !strings.Contains(r.UserAgent, "processpool/") {
			t.Errorf("%s: got header %q, user agent %q, want the worker's and the pool's", r.Method, got, r.UserAgent)
		}
	}
}

func TestServeWorkerWithoutAPool(t *testing.T) {
	leak.Check(t)
	if err := processpool.ServeWorker(); err == nil || !strings.Contains(err.Error(), "WorkerCommand") {
		t.Errorf("got %v, want an error that explains what it is for", err)
	}
}

// A process with the environment of a worker, but without a pool, prints one line and fails.
func TestWorkerWithoutAPool(t *testing.T) {
	leak.Check(t)
	for _, mark := range []string{"self/0", "command/0", "another/0", "self", "command", "self/7", "another/7", "/", "1"} {
		cmd := exec.Command(os.Args[0], "worker-with-header")
		cmd.Env = append(os.Environ(), "PROCESSPOOL_WORKER="+mark)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("%s: got %v, want exit status 1", mark, err)
		}
		if got := string(out); !strings.HasPrefix(got, "processpool worker: ") || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: got %q, want one line", mark, got)
		}
	}
}

// If workers cannot start, the waiting downloads fail with the last words of the workers. The next
// download tries again.
func TestWorkersDoNotStart(t *testing.T) {
	vanished := harness.Executable(t)
	for _, c := range []struct {
		command []string
		words   string
	}{
		{[]string{os.Args[0], "worker-that-fails"}, "no licence for this host"},
		{[]string{os.Args[0], "worker-that-downloads"}, "this process is a worker of a pool"},
		{[]string{vanished}, "no such file"},
	} {
		t.Run(c.words, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			d := harness.NewDownloader(t, origin, func(config *processpool.Config) { config.WorkerCommand = c.command })
			if c.command[0] == vanished {
				os.Remove(vanished)
			}

			started := make(chan error, 1)
			go func() { started <- d.Start() }()
			if err := harness.Wait(t, started, "Start"); !errors.Is(err, processpool.ErrWorkerLost) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("Start: got %v, want ErrWorkerLost and %q", err, c.words)
			}
			var futures []*processpool.Future
			for i := range 3 {
				futures = append(futures, d.DownloadFile(context.Background(), "b", "k", filepath.Join(dir, fmt.Sprint(i))))
			}
			for _, f := range futures {
				err := harness.Result(t, f)
				harness.WantError(t, err, processpool.ErrWorkerLost)
				if !strings.Contains(err.Error(), c.words) {
					t.Errorf("got %v, want %q in it", err, c.words)
				}
			}
			if n := len(origin.Requests()); n != 0 {
				t.Errorf("got %d requests, want none", n)
			}
			leak.Files(t, dir)
		})
	}
}
