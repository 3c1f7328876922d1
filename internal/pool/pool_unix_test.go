//go:build unix

package pool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// patience is how long a test waits for an event that must happen. Only a test that hangs exceeds
// it.
const patience = 2 * time.Minute

// crew is a pool whose owner is a test.
type crew struct {
	*Pool
	t       testing.TB
	journal *journal
	heard   chan Event // the events of Events, buffered
}

// newCrew starts a pool of one worker that follows a script. The pool is stopped at the test's end,
// unless the test has stopped it.
func newCrew(t testing.TB, name string, optFns ...func(*Options)) *crew {
	t.Helper()
	if name != "" && scripts[name] == nil && openings[name] == "" {
		t.Fatalf("there is no script %q", name)
	}
	c := &crew{t: t, journal: &journal{}, heard: make(chan Event, 10_000)}
	o := Options{
		Processes: 1,
		Command: Command{Args: []string{os.Args[0]}, Env: []string{
			scriptVariable + "=" + name,
			"GORACE=atexit_sleep_ms=0", // else the race detector delays each exit by a second
		}},
		Settings: settings.Settings{Slots: 1},
		Logger:   slog.New(c.journal),
	}
	for _, fn := range optFns {
		fn(&o)
	}
	c.Pool = New(o)
	c.Start()
	c.Want(o.Processes)
	go func() {
		defer close(c.heard)
		for e := range c.Events() {
			c.heard <- e
		}
	}()
	t.Cleanup(func() {
		if c.stopped.Err() == nil {
			c.end()
		}
	})
	return c
}

// end stops the pool and returns its last events.
func (c *crew) end() (last []Event) {
	c.t.Helper()
	c.Stop()
	timeout := time.After(patience)
	for {
		select {
		case e, open := <-c.heard:
			if !open {
				return last
			}
			last = append(last, e)
		case <-timeout:
			c.t.Fatal("the pool does not end")
		}
	}
}

// next returns the next event, which must be an E.
func next[E Event](c *crew) E {
	c.t.Helper()
	select {
	case event := <-c.heard:
		if e, ok := event.(E); ok {
			return e
		}
		c.t.Fatalf("got %T %+v, want %T", event, event, *new(E))
	case <-time.After(patience):
		c.t.Fatalf("no %T came; the log says:\n%s", *new(E), c.journal)
	}
	panic("unreachable")
}

// told returns what the worker tells: see actor.tell.
func told(c *crew) Retry {
	c.t.Helper()
	next[Up](c).Worker.Job(&ipc.Job{ID: 1, Head: &ipc.Head{}}, nil)
	return next[Retry](c)
}

func wantText(t testing.TB, err error, want ...string) {
	t.Helper()
	for _, text := range want {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got error %v, want one with %q", err, text)
		}
	}
}

func tempFile(t testing.TB) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// journal is a slog.Handler that keeps all records.
type journal struct {
	mu struct {
		sync.Mutex
		records []entry
	}
}

type entry struct {
	message string
	attrs   map[string]slog.Value
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	e := entry{r.Message, map[string]slog.Value{}}
	r.Attrs(func(a slog.Attr) bool {
		e.attrs[a.Key] = a.Value
		return true
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.records = append(j.mu.records, e)
	return nil
}

// with returns the records of that message.
func (j *journal) with(message string) (found []entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.mu.records {
		if e.message == message {
			found = append(found, e)
		}
	}
	return found
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var b strings.Builder
	for _, e := range j.mu.records {
		b.WriteString(e.message)
		for name, value := range e.attrs {
			b.WriteString(" " + name + "=" + value.String())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestPool(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "write", func(o *Options) { o.Processes = 3 })
	workers := map[int]Worker{}
	for range 3 {
		w := next[Up](c).Worker
		if w.PID() == os.Getpid() || workers[w.Seat()] != nil {
			t.Errorf("got pid %d in seat %d, after %v", w.PID(), w.Seat(), workers)
		}
		workers[w.Seat()] = w
	}
	f := tempFile(t)
	for seat, w := range workers {
		w.Job(&ipc.Job{ID: uint64(seat), Key: "x", Get: &ipc.Get{Offset: int64(3 * seat), Length: 3}}, f)
	}
	for range workers {
		r := next[Result](c)
		if workers[int(r.ID)] != r.Worker || r.Get == nil || r.Get.Written != 3 {
			t.Errorf("got job %d of seat %d, %+v", r.ID, r.Worker.Seat(), r.Get)
		}
	}
	if got, err := os.ReadFile(f.Name()); err != nil || string(got) != "  x  x  x" {
		t.Errorf("got %q, %v", got, err)
	}
	last := c.end()
	if len(last) != 3 {
		t.Errorf("got %d last events, want a Down of each worker", len(last))
	}
	for _, e := range last {
		down, ok := e.(Down)
		if !ok || workers[down.Worker.Seat()] != down.Worker {
			t.Errorf("got %T %+v", e, e)
			continue
		}
		wantText(t, down.Err, "exit status 0")
	}
}

// TestStartFails: a command that does not become a worker is given up after startTries, and the
// error tells why.
func TestStartFails(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) func(*Options) {
		return func(o *Options) { o.Command.Args = args }
	}
	soon := func(o *Options) { o.StartTimeout = 200 * time.Millisecond }
	for _, c := range []struct {
		name   string
		script string
		option func(*Options)
		want   []string
		is     error
		ups    int // before it is lost again
		starts int // 0 = startTries
	}{
		{name: "missing file", option: command(filepath.Join(dir, "missing")), want: []string{"start worker", "missing"}, is: failure.ErrWorkerLost},
		{name: "not in PATH", option: command("no-such-program-anywhere"), want: []string{"start worker", "PATH"}},
		{name: "not executable", option: command(plain), want: []string{"start worker", plain}, is: failure.ErrWorkerLost},
		{name: "directory", option: command(dir), want: []string{"start worker", dir}, is: failure.ErrWorkerLost},
		{name: "exit 0", option: command("true"), want: []string{"exit status 0", "true: no hello"}, is: failure.ErrWorkerLost},
		{name: "exit 1", option: command("sh", "-c", "echo a word >&2; exit 1"), want: []string{"exit status 1", "sh: no hello", "its standard error ends with: a word"}, is: failure.ErrWorkerLost},
		{script: "wrong version", want: []string{fmt.Sprintf("protocol version %d, this pool %d", ipc.Version+41, ipc.Version), "build both", fmt.Sprintf("this pool has %d", ipc.Version)}},
		{script: "no hello", option: soon, want: []string{os.Args[0] + ": no hello within 200ms"}, is: failure.ErrWorkerLost, starts: 1},
		{script: "no hello and no end", option: soon, want: []string{"signal: killed", os.Args[0] + ": no hello within 200ms"}, starts: 1},
		{script: "no Ready", option: soon, want: []string{os.Args[0] + ": no answer to its settings within 200ms"}, starts: 1},
		{script: "half a frame", want: []string{"no hello"}},
		{script: "nonsense", want: []string{"no hello", "is not of this protocol"}},
		{script: "Ready first", want: []string{"its first message is a *ipc.Ready, want a Hello"}},
		{script: "Pong for Ready", want: []string{"its answer to its settings is a *ipc.Pong, want a Ready"}},
		{script: "die over its settings", want: []string{"exit status 9", "no answer to its settings", "no such region"}},
		{script: "die when ready", want: []string{"exit status 3", "nothing to live for"}, ups: startTries},
		{script: "a long line", want: []string{"exit status 1", "xxx"}},
		{script: "leave a child behind", option: briefly, want: []string{"exit status 1", "the child has my standard error"}},
	} {
		t.Run(c.name+c.script, func(t *testing.T) {
			t.Parallel()
			var options []func(*Options)
			if c.option != nil {
				options = append(options, c.option)
			}
			crew := newCrew(t, c.script, options...)
			for range c.ups {
				up := next[Up](crew)
				if down := next[Down](crew); down.Worker != up.Worker {
					t.Errorf("got the end of another worker")
				}
			}
			err := next[Broken](crew).Err
			if n := strings.Count(err.Error(), "hello"); n > 1 {
				t.Errorf("%v tells %d times of the hello", err, n)
			}
			wantText(t, err, c.want...)
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v, want one that is %v", err, c.is)
			}
			for _, other := range []error{fs.ErrNotExist, fs.ErrPermission, fs.ErrExist} {
				if errors.Is(err, other) {
					t.Errorf("%v is %v, as if a file of the application's were meant", err, other)
				}
			}
			if n := strings.Count(err.Error(), failure.ErrWorkerLost.Error()); n > 1 {
				t.Errorf("%v says %d times that a worker is lost", err, n)
			}
			if n, want := len(crew.journal.with("worker did not start")), cmp.Or(c.starts, startTries); n != want {
				t.Errorf("got %d failed starts, want %d", n, want)
			}
			if last := crew.end(); len(last) != 0 {
				t.Errorf("got %v after it was broken", last)
			}
		})
	}
}

func TestReviveAfterBroken(t *testing.T) {
	leak.Check(t)
	program := filepath.Join(t.TempDir(), "program")
	c := newCrew(t, "write", func(o *Options) { o.Processes, o.Command.Args = 2, []string{program} })
	wantText(t, next[Broken](c).Err, program)
	if err := os.Symlink(os.Args[0], program); err != nil {
		t.Fatal(err)
	}
	c.Revive()
	next[Up](c)
	next[Up](c)
}

// TestBrokenWaitsForRevive: no seat of a broken pool tries again before Revive, however long it is
// parked. While a worker is up in another seat, each does.
func TestBrokenWaitsForRevive(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "no hello and no end", func(o *Options) {
		o.Processes, o.StartTimeout = 2, 100*time.Millisecond
	})
	for round := 1; round <= 3; round++ {
		wantText(t, next[Broken](c).Err, "no hello within 100ms")
		if n := len(c.journal.with("worker did not start")); n != 2*round {
			t.Errorf("round %d: got %d starts, want one of each seat in each round", round, n)
		}
		c.mu.Lock()
		revived := c.mu.revived
		c.mu.Unlock()
		if c.unpark(revived) {
			t.Errorf("round %d: a seat tries again", round)
		}
		c.Revive()
		if !c.unpark(revived) {
			t.Errorf("round %d: a seat stays parked after Revive", round)
		}
	}
	next[Broken](c)
	c.mu.Lock()
	c.mu.parked = 1 // the other seat has a worker
	revived := c.mu.revived
	c.mu.Unlock()
	if !c.unpark(revived) {
		t.Error("a seat stays parked although the pool is not broken")
	}
}

// TestLostWorker: the worker's end is reported once, after all its messages, and its seat is filled
// again.
func TestLostWorker(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "die over a job")
	for range startTries + 1 { // these are not failed starts
		w := next[Up](c).Worker
		w.Job(&ipc.Job{ID: 8, Get: &ipc.Get{Length: 9}}, tempFile(t))
		if p := next[Progress](c); p.Worker != w || p.ID != 8 || p.Written != 5 {
			t.Errorf("got %+v", p)
		}
		down := next[Down](c)
		if down.Worker != w || !errors.Is(down.Err, failure.ErrWorkerLost) {
			t.Errorf("got %+v", down)
		}
		wantText(t, down.Err, "exit status 7", "its standard error ends with: first line\nout of luck")
	}
	next[Up](c)
	lines := c.journal.with("worker's standard error")
	if len(lines) != 2*(startTries+1) || lines[0].attrs["line"].String() != "first line" || lines[1].attrs["line"].String() != "out of luck" {
		t.Errorf("got log\n%s", c.journal)
	}
}

// TestPaceOfFruitlessWorkers: a worker that dies over whatever it begins is restarted after pauses
// that grow; one that has finished a job, at once.
func TestPaceOfFruitlessWorkers(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "die over a job")
	var begun time.Time
	for n := range 6 {
		w := next[Up](c).Worker
		if n == 2 {
			begun = time.Now()
		}
		w.Job(&ipc.Job{ID: 8, Get: &ipc.Get{Length: 9}}, tempFile(t))
		next[Progress](c)
		next[Down](c)
	}
	next[Up](c)
	// Behind the third to the sixth: half of 0.2, 0.4, 0.8 and 1.6 s at least.
	if took := time.Since(begun); took < 1500*time.Millisecond {
		t.Errorf("got six workers and a seventh %v after the third, want 1.5 s or more", took)
	}
	for failed := range 100 {
		if d := backoff(failed); d <= 0 || d > maxBackoff {
			t.Errorf("got a pause of %v after %d failures", d, failed)
		}
	}
}

func TestKilledIdle(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "write", func(o *Options) { o.Processes = 2 })
	first, second := next[Up](c).Worker, next[Up](c).Worker
	if err := syscall.Kill(first.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	down := next[Down](c)
	if down.Worker != first {
		t.Errorf("got the end of pid %d, want %d", down.Worker.PID(), first.PID())
	}
	wantText(t, down.Err, "signal: killed")
	third := next[Up](c).Worker
	if third.Seat() != first.Seat() || third.PID() == first.PID() {
		t.Errorf("got pid %d in seat %d after pid %d in seat %d", third.PID(), third.Seat(), first.PID(), first.Seat())
	}
	second.Job(&ipc.Job{ID: 1, Get: &ipc.Get{Length: 1}}, tempFile(t)) // still runs
	next[Result](c)
}

func TestWorkerBreaksProtocol(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "send a Job")
	next[Up](c)
	wantText(t, next[Down](c).Err, "broke the protocol: it sent a Job")
}

// TestClosedSide: a worker that closes its socket and does not exit is killed.
func TestClosedSide(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "close its side and stay", briefly)
	next[Up](c)
	wantText(t, next[Down](c).Err, "signal: killed")
}

// TestClosedFile: the transfer ended and closed its file before the job was sent.
func TestClosedFile(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "write")
	w := next[Up](c).Worker
	f := tempFile(t)
	f.Close()
	w.Job(&ipc.Job{ID: 1, Get: &ipc.Get{}}, f)
	if r := next[Result](c); r.ID != 1 || !errors.Is(r.Err.Unpack(), failure.ErrCanceled) {
		t.Errorf("got %+v", r.Result)
	}
	w.Job(&ipc.Job{ID: 2, Get: &ipc.Get{Length: 1}}, tempFile(t))
	if r := next[Result](c); r.ID != 2 || r.Err != nil {
		t.Errorf("got %+v", r.Result)
	}
}

// hasty kills a worker that is silent for 3 x 100 ms.
func hasty(o *Options) { o.Heartbeat = 100 * time.Millisecond }

// briefly kills a worker that does not exit within 200 ms of its last word.
func briefly(o *Options) { o.ExitTimeout = 200 * time.Millisecond }

// impatient kills a worker that does not stop within 50 ms.
func impatient(o *Options) { o.StopTimeout = 50 * time.Millisecond }

const hastily = "killed because it did not answer for 300ms"

func TestSilentWorker(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "say nothing over a job", hasty, impatient)
	next[Up](c).Worker.Job(&ipc.Job{Head: &ipc.Head{}}, nil)
	wantText(t, next[Down](c).Err, hastily)
	next[Up](c)
}

func TestStoppedWorker(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "write", hasty)
	w := next[Up](c).Worker
	if err := syscall.Kill(w.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	w.Job(&ipc.Job{Get: &ipc.Get{Length: 1}}, tempFile(t))
	wantText(t, next[Down](c).Err, hastily)
	next[Up](c)
}

// TestUnreadJob: a job that the worker has not read is not the reason of its end, and does not
// prove that the worker works.
func TestUnreadJob(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "write")
	w := next[Up](c).Worker
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
		if err := syscall.Kill(w.PID(), signal); err != nil {
			t.Fatal(err)
		}
		if signal == syscall.SIGSTOP {
			w.Job(&ipc.Job{ID: 7, Get: &ipc.Get{Length: 1}}, tempFile(t))
		}
	}
	if got := next[Down](c).Worker.Unread(); runtime.GOOS == "linux" && !slices.Equal(got, []uint64{7}) {
		t.Errorf("got unread jobs %v, want job 7", got)
	}

	c = newCrew(t, "die over a job")
	next[Up](c).Worker.Job(&ipc.Job{ID: 8, Get: &ipc.Get{Length: 9}}, tempFile(t))
	next[Progress](c)
	if got := next[Down](c).Worker.Unread(); len(got) > 0 {
		t.Errorf("got unread jobs %v, want none: the worker died over it", got)
	}

	c = newCrew(t, "close its side at once")
	for range startTries {
		next[Up](c).Worker.Job(&ipc.Job{ID: 9, Head: &ipc.Head{}}, nil)
		next[Down](c)
	}
	next[Broken](c)
}

// TestDeafWorker fills the socket's buffer, so that not even a ping can be sent.
func TestDeafWorker(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "read nothing", hasty, impatient)
	w := next[Up](c).Worker
	for range 4 {
		w.Job(&ipc.Job{Key: strings.Repeat("k", 1<<20), Head: &ipc.Head{}}, nil)
	}
	wantText(t, next[Down](c).Err, hastily)
	next[Up](c)
}

// TestOverfullWorker: the outbox is bounded, and a worker for which it is full is killed.
func TestOverfullWorker(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "read nothing", impatient)
	w := next[Up](c).Worker
	for range 1000 {
		w.Job(&ipc.Job{ID: 1, Key: strings.Repeat("k", 10<<10), Head: &ipc.Head{}}, nil)
	}
	down := next[Down](c)
	wantText(t, down.Err, "signal: killed")
	if n := len(down.Worker.Unread()); n < 900 {
		t.Errorf("got %d unread jobs of 1000, want all but those in the socket", n)
	}
	next[Up](c)
}

// TestBusyWorker: a worker that answers pings may take longer over a job than it may be silent.
func TestBusyWorker(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "work for many heartbeats", hasty)
	next[Up](c).Worker.Job(&ipc.Job{ID: 1, Head: &ipc.Head{}}, nil)
	if r := next[Result](c); r.ID != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestStopWaitsForJobs(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "answer after stop")
	w := next[Up](c).Worker
	w.Job(&ipc.Job{ID: 6, Head: &ipc.Head{}}, nil)
	last := c.end()
	if len(last) != 2 {
		t.Fatalf("got %v, want a Result and a Down", last)
	}
	if r, ok := last[0].(Result); !ok || r.ID != 6 {
		t.Errorf("got %T %+v, want the Result", last[0], last[0])
	}
	if _, ok := last[1].(Down); !ok {
		t.Errorf("got %T, want Down", last[1])
	}
}

func TestStopIgnored(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "ignore Stop", impatient)
	next[Up](c)
	last := c.end()
	if len(last) != 1 {
		t.Fatalf("got %v, want a Down", last)
	}
	wantText(t, last[0].(Down).Err, "signal: killed")
}

// TestStopDoesNotWait: Stop waits neither for workers that are not ready nor for pauses.
func TestStopDoesNotWait(t *testing.T) {
	t.Run("for a hello", func(t *testing.T) {
		leak.Check(t)
		c := newCrew(t, "no hello and no end", func(o *Options) { o.StartTimeout = time.Hour })
		for deadline := time.Now().Add(patience); len(c.journal.with("worker's standard error")) == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the worker says nothing")
			}
		}
		if last := c.end(); len(last) != 0 {
			t.Errorf("got %v", last)
		}
	})
	t.Run("for a pause", func(t *testing.T) {
		leak.Check(t)
		c := newCrew(t, "", func(o *Options) { o.Command.Args = []string{"true"} })
		if last := c.end(); len(last) != 0 {
			t.Errorf("got %v", last)
		}
	})
	t.Run("for Revive", func(t *testing.T) {
		leak.Check(t)
		c := newCrew(t, "", func(o *Options) { o.Command.Args = []string{"true"} })
		next[Broken](c)
		if last := c.end(); len(last) != 0 {
			t.Errorf("got %v", last)
		}
	})
	t.Run("for a worker that does not read the Stop", func(t *testing.T) {
		leak.Check(t)
		c := newCrew(t, "write", impatient)
		w := next[Up](c).Worker
		if err := syscall.Kill(w.PID(), syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		c.end()
	})
}

func TestNeverStarted(t *testing.T) {
	leak.Check(t)
	p := New(Options{Processes: 2})
	p.Stop()
	select {
	case _, open := <-p.Events():
		if open {
			t.Error("got an event")
		}
	case <-time.After(patience):
		t.Error("the pool does not end")
	}
}
