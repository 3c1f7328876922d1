package faults_test

import (
	"errors"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// told keeps what OnAttempt is told of GetObject.
type told struct {
	mu  sync.Mutex
	all []processpool.Attempt
}

func (l *told) config(c *processpool.Config) {
	c.OnAttempt = func(a processpool.Attempt) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if a.Operation == "GetObject" {
			l.all = append(l.all, a)
		}
	}
}

func (l *told) gets() []processpool.Attempt {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all
}

// The request of a worker that was killed is told by the application, and the next one counts on.
func TestAttemptOfAKilledWorker(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "GET", Times: 1, Stall: true, StallAfter: 5})
	var told told
	d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Unhurried, told.config)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 1, "GET")
	harness.SignalWorkers(t, syscall.SIGKILL)
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	gets := told.gets()
	if len(gets) != 2 {
		t.Fatalf("got %+v, want two", gets)
	}
	lost, good := gets[0], gets[1]
	if !errors.Is(lost.Err, processpool.ErrWorkerLost) || lost.StatusCode != 0 || lost.Number != 1 || lost.End.Before(lost.Start) {
		t.Errorf("lost: got %+v", lost)
	}
	if good.Err != nil || good.Number != 2 || good.Worker == lost.Worker {
		t.Errorf("good: got %+v", good)
	}
}

// A range that was taken back from a slow connection is a canceled request, and the pieces count on.
func TestAttemptOfASlowRange(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 16*harness.MiB))
	origin.Inject(s3test.Fault{Range: lastOf16MiB, Times: 1, Stall: true})
	var told told
	harness.SlowAfter(t, 0)
	d := harness.NewDownloader(t, origin, harness.Processes(4), harness.Multipart(4*harness.MiB, 4*harness.MiB), harness.Unhurried, told.config)
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	canceled, further := 0, 0
	for _, a := range told.gets() {
		if a.Offset < 12*harness.MiB {
			continue
		}
		if errors.Is(a.Err, processpool.ErrCanceled) && a.Number == 1 {
			canceled++
		} else if a.Err == nil && a.Number >= 2 {
			further++
		}
	}
	if canceled == 0 || further == 0 {
		t.Errorf("got %+v", told.gets())
	}
}
