package e2e_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// startMarked starts this executable as a worker with socket as its descriptor 3 (nil means none).
// It returns the standard error and the exit status.
func startMarked(t *testing.T, mark string, socket *os.File) (words string, status int) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "worker-with-header")
	cmd.Env = append(os.Environ(), "PROCESSPOOL_WORKER="+mark+"/0")
	if socket != nil {
		cmd.ExtraFiles = []*os.File{socket}
	}
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if socket != nil {
		socket.Close()
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(harness.Patience):
		cmd.Process.Kill()
		t.Errorf("the process does not end; it said %q", &out)
		<-ended
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// A process with the environment of a worker that no pool has started prints one line and fails,
// whatever its descriptor 3 is. It never runs as an application: with the mark of init, it does not
// reach main.
func TestWorkerOfNoPool(t *testing.T) {
	leak.Check(t)
	file := func(t *testing.T) *os.File {
		f, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	listener := func(network, address string) func(*testing.T) *os.File {
		return func(t *testing.T) *os.File {
			ln, err := net.Listen(network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			f, err := ln.(interface{ File() (*os.File, error) }).File()
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	tcp := func(t *testing.T) *os.File {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ln.Close() })
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		f, err := c.(*net.TCPConn).File()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	// mute returns a socket that nobody has written to.
	mute := func(t *testing.T) *os.File {
		ours, theirs, err := ipc.Pair()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ours.Close() })
		return theirs
	}
	// speaking returns a socket whose other end greets as a pool does.
	speaking := func(say func(*ipc.Conn)) func(*testing.T) *os.File {
		return func(t *testing.T) *os.File {
			ours, theirs, err := ipc.Pair()
			if err != nil {
				t.Fatal(err)
			}
			conn, err := ipc.NewConn(ours)
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.Bequeath(new(exec.Cmd), theirs); err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer conn.Close()
				say(conn)
			}()
			t.Cleanup(func() { <-done })
			return theirs
		}
	}
	for _, c := range []struct {
		name   string
		socket func(*testing.T) *os.File
		want   string
	}{
		{"nothing", nil, "no pool has started this process"},
		{"a file", file, "no pool has started this process"},
		{"a TCP connection", tcp, "descriptor 3 is not a Unix socket"},
		{"a TCP listener", listener("tcp", "127.0.0.1:0"), "descriptor 3 is not a Unix socket"},
		{"a Unix listener", listener("unix", "@"), "no pool is at the other end of descriptor 3"},
		{"a socket of somebody else", mute, "no pool is at the other end of descriptor 3"},
		{"a pool that is gone", speaking(func(*ipc.Conn) {}), "the pool is gone"},
		{"a pool that leaves", speaking(func(c *ipc.Conn) { c.Receive() }), "the pool is gone"},
		{"a pool of another version", speaking(func(c *ipc.Conn) {
			c.Receive()
			c.Send(&ipc.Setup{Version: ipc.Version + 1}, nil)
			c.Receive()
		}), fmt.Sprintf("the pool has protocol version %d", ipc.Version+1)},
		{"a stranger", speaking(func(c *ipc.Conn) {
			c.Receive()
			c.Send(&ipc.Pong{}, nil)
			c.Receive()
		}), "first message is a *ipc.Pong"},
	} {
		for _, mark := range []string{"self", "command"} {
			t.Run(c.name+","+mark, func(t *testing.T) {
				var socket *os.File
				if c.socket != nil {
					socket = c.socket(t)
				}
				words, status := startMarked(t, mark, socket)
				if status != 1 || !strings.HasPrefix(words, "processpool worker: ") || strings.Count(words, "\n") != 1 || !strings.Contains(words, c.want) {
					t.Errorf("got status %d and %q, want 1 and one line with %q", status, words, c.want)
				}
			})
		}
	}
}

// slimWorker builds a WorkerCommand that adds middleware to its workers.
func slimWorker(t *testing.T) func(*processpool.Config) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "slimworker")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "./internal/pool/testdata/slimworker")
	build.Dir = harness.ModuleRoot(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return func(c *processpool.Config) { c.WorkerCommand = []string{program} }
}

func TestSlimWorker(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	slim := slimWorker(t)
	want := s3test.PatternBytes(1, 3*harness.MiB)

	t.Run("middleware", func(t *testing.T) {
		leak.Check(t)
		origin, dir := harness.StartOrigin(t), t.TempDir()
		origin.Put("b", "k", want)
		d := harness.NewDownloader(t, origin, slim, harness.Multipart(harness.MiB, harness.MiB))
		if err := d.Start(); err != nil {
			t.Fatal(err)
		}
		if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
			t.Fatal(err)
		}
		harness.WantContent(t, filepath.Join(dir, "file"), want)
		for _, r := range origin.Requests() {
			if r.Header.Get("X-Slim-Worker") == "" {
				t.Errorf("%s %s came without the worker's header", r.Method, r.Range)
			}
		}
		leak.Files(t, dir, "file")
	})

	// A job that kills every worker is given to three of them. The downloads beside it succeed.
	for _, key := range []string{"poison", "poisoned head"} {
		t.Run(key, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", key, want)
			origin.Put("b", "k", want)
			var log harness.Log
			d := harness.NewDownloader(t, origin, slim, harness.Multipart(8*harness.MiB, 8*harness.MiB), log.Config)
			bad := d.DownloadFile(t.Context(), "b", key, filepath.Join(dir, "bad"))
			good := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "good"))
			err := harness.Result(t, bad)
			harness.WantError(t, err, processpool.ErrWorkerLost)
			for _, words := range []string{"exit status 9", "its standard error ends with: died of poison"} {
				if !strings.Contains(fmt.Sprint(err), words) {
					t.Errorf("got %v, want %q in it", err, words)
				}
			}
			if err := harness.Result(t, good); err != nil {
				t.Errorf("a download beside it: %v", err)
			}
			if err := harness.Download(t, d, "k", filepath.Join(dir, "next")); err != nil {
				t.Errorf("the next download: %v", err)
			}
			if n := len(log.Records(t, "worker lost")); n != 3 {
				t.Errorf("got %d workers lost, want 3", n)
			}
			leak.Files(t, dir, "good", "next")
		})
	}
}

// TestWorkerLeavesTheMainThread: the main thread of a worker sleeps. The goroutine of an init, in which a
// worker runs, is locked to it, and would wake it for each message.
func TestWorkerLeavesTheMainThread(t *testing.T) {
	const downloads = 50
	leak.Check(t)
	origin, file := harness.StartOrigin(t), filepath.Join(t.TempDir(), "file")
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Processes(1))
	download := func() {
		if err := harness.Download(t, d, "k", file); err != nil {
			t.Fatal(err)
		}
	}
	download()
	workers := harness.Children(t, os.Getpid())
	if len(workers) != 1 {
		t.Fatalf("got the children %v, want one worker", workers)
	}
	before := switches(t, workers[0])
	for range downloads {
		download()
	}
	if n := switches(t, workers[0]) - before; n > downloads/2 {
		t.Errorf("the main thread slept %d times during %d downloads, want 0 or about as many", n, downloads)
	}
}

// switches returns how many times the main thread of a process has gone to sleep.
func switches(t *testing.T, pid int) (n int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "voluntary_ctxt_switches: %d", &n); err == nil {
			return n
		}
	}
	t.Skip("context switches are not counted here")
	return 0
}
