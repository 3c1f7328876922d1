package e2e_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// costs are the resources that queued downloads must not use.
type costs struct {
	bytes                   uint64
	goroutines, descriptors int
}

func measure(t *testing.T) costs {
	t.Helper()
	runtime.GC()
	runtime.GC() // for what the first one has moved out of the pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	c := costs{bytes: m.HeapAlloc + m.StackInuse, goroutines: runtime.NumGoroutine()}
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil {
		c.descriptors = len(fds)
	}
	return c
}

// A queued download costs less than 1 KiB, and no goroutine, descriptor or file.
func TestQueueCost(t *testing.T) {
	for _, c := range []struct {
		name    string
		context func(t *testing.T) context.Context
	}{
		{"background", func(*testing.T) context.Context { return context.Background() }},
		{"cancelable", func(t *testing.T) context.Context {
			ctx, cancel := context.WithCancel(context.Background())
			t.Cleanup(cancel)
			return ctx
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			gate := make(chan struct{})
			origin.Put("b", "k", harness.Content)
			origin.Inject(s3test.Fault{Key: "k", Gate: gate})
			d := harness.NewDownloader(t, origin, harness.Processes(1))
			first := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "first"))
			harness.Arrive(t, origin, 1, "HEAD") // this download occupies the only worker

			const n = 100_000
			ctx, name := c.context(t), filepath.Join(dir, "file")
			futures := make([]*processpool.Future, 0, n)
			before := measure(t)
			for range n {
				futures = append(futures, d.DownloadFile(ctx, "b", "queued", name))
			}
			after := measure(t)
			if each := (after.bytes - before.bytes) / n; after.bytes > before.bytes && each >= 1024 {
				t.Errorf("got %d bytes for each of %d downloads, want less than 1024", each, n)
			}
			// The runtime and the origin may have a few of their own.
			if more := after.goroutines - before.goroutines; more > 3 {
				t.Errorf("got %d goroutines more, want none", more)
			}
			if more := after.descriptors - before.descriptors; more > 3 {
				t.Errorf("got %d descriptors more, want none", more)
			}
			if len(origin.Requests()) != 1 {
				t.Errorf("got %d requests, want the first", len(origin.Requests()))
			}
			leak.Files(t, dir)

			for _, f := range futures {
				f.Cancel()
			}
			close(gate)
			harness.Shutdown(t, d)
			if err := harness.Result(t, first); err != nil {
				t.Errorf("the one under way: got %v, want nil", err)
			}
			for _, f := range futures {
				if !harness.IsDone(f) {
					t.Fatal("a download has no result after Shutdown")
				}
			}
			harness.WantError(t, futures[n-1].Result(), processpool.ErrCanceled)
			leak.Files(t, dir, "first")
		})
	}
}

// Transfers start in the order of the calls.
func TestQueueOrder(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	gate := make(chan struct{})
	for _, key := range []string{"0", "1", "2", "3"} {
		origin.Put("b", key, harness.Content)
	}
	origin.Inject(s3test.Fault{Key: "0", Times: 1, Gate: gate})
	d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Multipart(5, 5))
	var futures []*processpool.Future
	for _, key := range []string{"0", "1", "2", "3"} {
		futures = append(futures, d.DownloadFile(t.Context(), "b", key, filepath.Join(dir, key)))
	}
	harness.Arrive(t, origin, 1, "HEAD")
	close(gate)
	for _, f := range futures {
		if err := harness.Result(t, f); err != nil {
			t.Error(err)
		}
	}
	last := ""
	for _, r := range harness.Requests(origin, "HEAD") {
		if r.Key <= last {
			t.Errorf("got the HEAD of %q behind that of %q", r.Key, last)
		}
		last = r.Key
	}
	leak.Files(t, dir, "0", "1", "2", "3")
}

// A free slot goes to the oldest transfer that has a range left.
func TestQueueOldestFirst(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "old", harness.Content)
	origin.Put("b", "new", harness.Content)
	head, first, second := make(chan struct{}), make(chan struct{}), make(chan struct{})
	origin.Inject(s3test.Fault{Key: "old", Method: "HEAD", Gate: head})
	origin.Inject(s3test.Fault{Key: "new", Range: "bytes=0-4", Gate: first})
	origin.Inject(s3test.Fault{Key: "old", Range: "bytes=0-4", Gate: second})
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))

	old := d.DownloadFile(t.Context(), "b", "old", filepath.Join(dir, "old"))
	harness.Arrive(t, origin, 1, "HEAD")
	young := d.DownloadFile(t.Context(), "b", "new", filepath.Join(dir, "new"))
	harness.Arrive(t, origin, 1, "GET") // both slots are occupied, and both transfers have a range left
	close(head)
	harness.Arrive(t, origin, 2, "GET")
	close(first)
	harness.Arrive(t, origin, 3, "GET")
	close(second)
	if err := errors.Join(harness.Result(t, old), harness.Result(t, young)); err != nil {
		t.Error(err)
	}
	var got []string
	for _, r := range harness.Requests(origin, "GET") {
		got = append(got, r.Key+" "+r.Range)
	}
	if want := []string{"new bytes=0-4", "old bytes=0-4", "old bytes=5-9", "new bytes=5-9"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	leak.Files(t, dir, "new", "old")
}

// The requests of all transfers together never exceed the slots.
func TestQueueBoundsRequests(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 1000))
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate})
	d := harness.NewDownloader(t, origin, harness.Multipart(100, 100), func(c *processpool.Config) { c.RequestsPerProcess = 3 })
	var futures []*processpool.Future
	var names []string
	for _, name := range []string{"0", "1", "2", "3", "4", "5", "6", "7"} {
		names = append(names, name)
		futures = append(futures, d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, name)))
	}
	harness.Arrive(t, origin, 6, "GET") // every slot has a request
	close(gate)
	for _, f := range futures {
		if err := harness.Result(t, f); err != nil {
			t.Error(err)
		}
	}
	if got := origin.MaxInFlight(); got != 6 {
		t.Errorf("got %d requests at once, want 2 processes x 3", got)
	}
	leak.Files(t, dir, names...)
}

type number struct{}

// One goroutine handles the end of a context that many downloads share.
func TestQueueOfOneContext(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	gate := make(chan struct{})
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Key: "k", Gate: gate})
	d := harness.NewDownloader(t, origin, harness.Processes(1))
	first := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "first"))
	harness.Arrive(t, origin, 1, "HEAD") // this download occupies the only worker

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	futures := make([]*processpool.Future, 10_000)
	for i := range futures {
		of := context.WithValue(ctx, number{}, i) // ends with ctx
		futures[i] = d.DownloadFile(of, "b", "queued", filepath.Join(dir, "file"))
	}
	before := runtime.NumGoroutine()
	cancel()
	if more := runtime.NumGoroutine() - before; more > 3 {
		t.Errorf("got %d goroutines more, want one", more)
	}
	for _, f := range futures {
		harness.WantError(t, harness.Result(t, f), processpool.ErrCanceled, context.Canceled)
	}
	close(gate)
	if err := harness.Result(t, first); err != nil {
		t.Errorf("the one under way, of another context: got %v, want nil", err)
	}
	leak.Files(t, dir, "first")
}
