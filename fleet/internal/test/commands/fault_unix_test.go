//go:build unix

package commands

import (
	"bytes"
	"errors"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/fleet/internal/test/site"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// stage is a run whose objects below p/ are planned, on a server of its own.
type stage struct {
	*site.Site
	run  *fleet.Run
	args []string // of workers
	gate chan struct{}
}

// held plans objects; requests for those of two keys wait until the gate is closed.
func held(t *testing.T, ackWait string) (*stage, map[string][]byte) {
	s := site.New(t)
	files := s.Put(40, 64<<10)
	files["large"] = s3test.PatternBytes(1, 20<<20)
	s.Origin.Put("b", "p/large", files["large"])
	gate := make(chan struct{})
	for _, key := range []string{"p/large", "p/0/0003"} {
		s.Origin.Inject(s3test.Fault{Key: key, Method: "GET", Gate: gate})
	}
	_, url := s.Serve(t.TempDir(), "127.0.0.1:0")
	s.Fleet(0, "plan", "s3://b/p/", "--nats", url, "--run", "r", "--endpoint", s.Origin.URL(), "--ack-wait", ackWait)
	run, err := fleet.Open(t.Context(), s.Connect(url), "r")
	if err != nil {
		t.Fatal(err)
	}
	return &stage{s, run, []string{"work", s.Dir, "--nats", url, "--run", "r", "--endpoint", s.Origin.URL(), "--processes", "6"}, gate}, files
}

// begin starts a worker, and waits until it waits for both objects.
func (s *stage) begin(args ...string) *site.Process {
	s.Helper()
	p := s.Start(slices.Concat(s.args, args)...)
	for _, key := range []string{"p/large", "p/0/0003"} {
		if err := s.Origin.WaitRequests(s.Context(), 1, func(r s3test.Request) bool { return r.Method == "GET" && r.Key == key }); err != nil {
			s.Fatal(err)
		}
	}
	return p
}

func (s *stage) wantAll(files map[string][]byte) {
	s.Helper()
	s.Whole(s.Dir, files)
	if status, err := s.run.Status(s.Context()); err != nil || !status.Ended || status.Done != int64(len(files)) || status.Dead != 0 {
		s.Errorf("got %+v, %v", status, err)
	}
}

func signal(t *testing.T, p *site.Process, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// What a killed worker held goes to another one, which leaves nothing of it behind.
func TestWorkerKilled(t *testing.T) {
	s, files := held(t, "3s")
	first := s.begin()
	signal(t, first, syscall.SIGKILL)
	first.Wait(-1)
	close(s.gate)
	s.Start(s.args...).Wait(0)
	s.wantAll(files)
}

// What a killed worker leaves in a directory of its own, the next one there removes, although others have
// downloaded the objects.
func TestLeftoversOfOwnDirectory(t *testing.T) {
	s, files := held(t, "3s")
	first := s.begin()
	signal(t, first, syscall.SIGKILL)
	first.Wait(-1)
	if left := s.Tree(s.Dir); len(left) == 0 {
		t.Fatal("the killed worker has left nothing")
	}
	close(s.gate)
	elsewhere := t.TempDir()
	args := slices.Clone(s.args)
	args[1] = elsewhere
	s.Start(args...).Wait(0)
	s.Start(s.args...).Wait(0)
	whole := s.Tree(elsewhere)
	for name, content := range s.Tree(s.Dir) {
		if !bytes.Equal(content, files[name]) {
			t.Errorf("left behind: %s", name)
		}
		whole[name] = content
	}
	if len(whole) != len(files) {
		t.Errorf("got %d files, want %d", len(whole), len(files))
	}
}

// A worker that was stopped for longer than --ack-wait does no harm when it comes back.
func TestWorkerStopped(t *testing.T) {
	s, files := held(t, "3s")
	first := s.begin()
	signal(t, first, syscall.SIGSTOP)
	s.Origin.ClearFaults()
	s.Start(s.args...).Wait(0)
	signal(t, first, syscall.SIGCONT)
	close(s.gate)
	first.Wait(0)
	s.wantAll(files)
}

// After SIGTERM a worker gives back at once what is not done within --grace.
func TestDrain(t *testing.T) {
	s, files := held(t, "1h")
	first := s.begin("--grace", "1ms")
	signal(t, first, syscall.SIGTERM)
	first.Wait(143)
	s.Origin.ClearFaults()
	s.Start(s.args...).Wait(0)
	s.wantAll(files)
}

// Within --grace, what is under way ends.
func TestDrainEnds(t *testing.T) {
	s, files := held(t, "1h")
	first := s.begin("--grace", "1h")
	signal(t, first, syscall.SIGTERM)
	close(s.gate)
	first.Wait(143)
	if status, err := s.run.Status(t.Context()); err != nil || status.InFlight != 0 {
		t.Errorf("got %+v, %v, want nothing in flight", status, err)
	}
	s.Start(s.args...).Wait(0)
	s.wantAll(files)
}

// A server that is killed and started again goes on, and so do its workers.
func TestServerKilled(t *testing.T) {
	s := site.New(t)
	files := s.Put(300, 20<<10)
	gate := make(chan struct{})
	s.Origin.Inject(s3test.Fault{Key: "p/0/0297", Gate: gate})
	dir := t.TempDir()
	server, url := s.Serve(dir, "127.0.0.1:0")
	s.Fleet(0, "plan", "s3://b/p/", "--nats", url, "--run", "r", "--endpoint", s.Origin.URL())
	worker := s.Start("work", s.Dir, "--nats", url, "--run", "r", "--endpoint", s.Origin.URL(), "--processes", "2")
	if err := s.Origin.WaitRequests(t.Context(), 50, func(r s3test.Request) bool { return r.Method == "GET" }); err != nil {
		t.Fatal(err)
	}
	signal(t, server, syscall.SIGKILL)
	server.Wait(-1)
	close(gate)
	_, again := s.Serve(dir, "127.0.0.1:0")
	if again != url {
		t.Fatalf("got %s, want the server at the same place", again)
	}
	worker.Wait(0)
	s.Whole(s.Dir, files)
	out, _ := s.Fleet(0, "status", "--nats", url)
	s.Text("status", out, "300 planned, 300 done, 0 dead, 0 open", "ended")
}

// A run that is killed leaves no process behind, and goes on when it is called again.
func TestRunKilled(t *testing.T) {
	s := site.New(t)
	files := s.Put(300, 20<<10)
	gate := make(chan struct{})
	defer close(gate)
	s.Origin.Inject(s3test.Fault{Key: "p/0/0297", Gate: gate})
	args := []string{"run", "s3://b/p/", s.Dir, "--workers", "2", "--processes", "2", "--endpoint", s.Origin.URL(), "--ack-wait", "2s"}
	first := s.Start(args...)
	if err := s.Origin.WaitRequests(t.Context(), 1, func(r s3test.Request) bool { return r.Key == "p/0/0297" }); err != nil {
		t.Fatal(err)
	}
	signal(t, first, syscall.SIGKILL)
	first.Wait(-1)
	if errors.Is(first.Err(), exec.ErrWaitDelay) {
		t.Error("its workers outlive it")
	}
	s.Origin.ClearFaults()
	out, _ := s.Fleet(0, args...)
	s.Text("run", out, "300 planned, 300 done, 0 dead, 0 open")
	s.Whole(s.Dir, files)
}

// Ctrl-C ends a run with its workers.
func TestRunInterrupted(t *testing.T) {
	s := site.New(t)
	files := s.Put(300, 20<<10)
	gate := make(chan struct{})
	defer close(gate)
	s.Origin.Inject(s3test.Fault{Key: "p/0/0297", Gate: gate})
	args := []string{"run", "s3://b/p/", s.Dir, "--workers", "2", "--processes", "2", "--endpoint", s.Origin.URL(), "--ack-wait", "1h", "--grace", "1s"}
	first := s.Start(args...)
	if err := s.Origin.WaitRequests(t.Context(), 1, func(r s3test.Request) bool { return r.Key == "p/0/0297" }); err != nil {
		t.Fatal(err)
	}
	signal(t, first, syscall.SIGINT)
	_, stderr := first.Wait(130)
	s.Text("interrupted", stderr, "run the same command again")
	s.Origin.ClearFaults()
	out, _ := s.Fleet(0, args...)
	s.Text("run", out, "300 planned, 300 done, 0 dead, 0 open")
	s.Whole(s.Dir, files)
}

// Two runs at once share the server and the work.
func TestRunTwice(t *testing.T) {
	s := site.New(t)
	files := s.Put(300, 20<<10)
	args := []string{"run", "s3://b/p/", s.Dir, "--workers", "1", "--processes", "2", "--endpoint", s.Origin.URL()}
	first, second := s.Start(args...), s.Start(args...)
	first.Wait(0)
	second.Wait(0)
	s.Whole(s.Dir, files)
}
