package processpool_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/pool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// The race detector has a process linger for a second at its end.
func init() { os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0")) }

// startMarked starts this executable as a worker with socket as its descriptor 3, nil for
// none, and returns its standard error and its exit status.
func startMarked(t *testing.T, mark string, socket *os.File) (words string, status int) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "worker-with-header")
	cmd.Env = append(os.Environ(), "PROCESSPOOL_WORKER="+mark)
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
	case <-time.After(patience):
		cmd.Process.Kill()
		t.Errorf("the process does not end; it said %q", &out)
		<-ended
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// A process that no pool has started, whatever its environment and descriptor 3 say,
// is one sentence and a failure, and never an application: main is not reached
// where the mark says init.
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
	// speaking returns a socket at whose other end is no pool.
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
		{"a Unix listener", listener("unix", "@"), "the pool is gone"},
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

// slimWorker builds the program of a caller who wants middleware in his workers.
func slimWorker(t *testing.T) func(*processpool.Config) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "slimworker")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "./internal/pool/testdata/slimworker")
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
	want := s3test.PatternBytes(1, 3*mib)

	t.Run("middleware", func(t *testing.T) {
		leak.Check(t)
		origin, dir := startOrigin(t), t.TempDir()
		origin.Put("b", "k", want)
		d := newDownloader(t, origin, slim, multipart(mib, mib))
		if err := d.Start(); err != nil {
			t.Fatal(err)
		}
		if err := download(t, d, "k", filepath.Join(dir, "file")); err != nil {
			t.Fatal(err)
		}
		wantContent(t, filepath.Join(dir, "file"), want)
		for _, r := range origin.Requests() {
			if r.Header.Get("X-Slim-Worker") == "" {
				t.Errorf("%s %s came without the worker's header", r.Method, r.Range)
			}
		}
		leak.Files(t, dir, "file")
	})

	// A job that kills each worker it meets: three of them, and others' downloads go on.
	for _, key := range []string{"poison", "poisoned head"} {
		t.Run(key, func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			origin.Put("b", key, want)
			origin.Put("b", "k", want)
			var log records
			d := newDownloader(t, origin, slim, multipart(8*mib, 8*mib), log.config)
			bad := d.DownloadFile(t.Context(), "b", key, filepath.Join(dir, "bad"))
			good := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "good"))
			err := result(t, bad)
			wantError(t, err, processpool.ErrWorkerLost)
			for _, words := range []string{"exit status 9", "its standard error ends with: died of poison"} {
				if !strings.Contains(fmt.Sprint(err), words) {
					t.Errorf("got %v, want %q in it", err, words)
				}
			}
			if err := result(t, good); err != nil {
				t.Errorf("a download beside it: %v", err)
			}
			if err := download(t, d, "k", filepath.Join(dir, "next")); err != nil {
				t.Errorf("the next download: %v", err)
			}
			if n := log.count("worker lost"); n != 3 {
				t.Errorf("got %d workers lost, want 3", n)
			}
			leak.Files(t, dir, "good", "next")
		})
	}
}

// records is what a logger was told.
type records struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *records) config(c *processpool.Config) { c.Logger = slog.New(slog.NewTextHandler(r, nil)) }

func (r *records) count(message string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Count(r.text.String(), "msg="+strconv.Quote(message))
}

// A worker that is stopped, and so silent, in the middle of a range is killed, and
// the transfer does not notice.
func TestWorkerStoppedUnderWay(t *testing.T) {
	leak.Check(t)
	t.Cleanup(pool.SetDefaults(pool.Options{Heartbeat: 50 * time.Millisecond}))
	origin, dir := startOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 4*mib)
	origin.Put("b", "k", want)
	origin.Inject(s3test.Fault{Method: "GET", Times: 2, Stall: true, StallAfter: mib / 2})
	d := newDownloader(t, origin, multipart(mib, mib), unhurried)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	arrive(t, origin, 2, "GET")
	before := children(t, os.Getpid())
	signalWorkers(t, syscall.SIGSTOP)
	if err := result(t, f); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "file"), want)
	for _, pid := range children(t, os.Getpid()) {
		if slices.Contains(before, pid) {
			t.Errorf("pid %d is still there", pid)
		}
	}
	leak.Files(t, dir, "file")
}

// Secrets are for nobody to see who may list processes, or read a worker's
// environment.
func TestSecretsAreNotVisible(t *testing.T) {
	leak.Check(t)
	const secret, token = "this-is-the-secret", "this-is-the-token"
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_SECRET_KEY", secret)
	t.Setenv("AWS_SESSION_TOKEN", token)
	origin, dir := startOrigin(t), t.TempDir()
	origin.SetCredentials("AKIDEXAMPLE", secret, token)
	origin.Put("b", "k", content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Gate: gate})
	d := newDownloader(t, origin) // with the origin's credentials
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	arrive(t, origin, 1, "HEAD")
	workers := children(t, os.Getpid())
	if len(workers) == 0 {
		t.Error("there are no workers to look at")
	}
	for _, pid := range workers {
		for _, name := range []string{"environ", "cmdline"} {
			p, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
			if errors.Is(err, os.ErrNotExist) {
				continue // lost, and replaced
			}
			if err != nil || bytes.Contains(p, []byte(secret)) || bytes.Contains(p, []byte(token)) {
				t.Errorf("%s of a worker: got %q, %v", name, p, err)
			}
		}
	}
	close(gate)
	if err := result(t, f); err != nil {
		t.Error(err)
	}
	leak.Files(t, dir, "file")
}
