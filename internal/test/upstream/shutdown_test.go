package upstream_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Shutdown may be called repeatedly and concurrently. Each call returns when the pool has ended,
// and Futures keep their results.
func TestShutdownIsIdempotent(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	good := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	bad := d.DownloadFile(t.Context(), "b", "missing", filepath.Join(dir, "missing"))

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := d.Shutdown(); err != nil {
				t.Errorf("got %v, want nil", err)
			}
			if !harness.IsDone(good) || !harness.IsDone(bad) {
				t.Error("Shutdown returned before the downloads had ended")
			}
		})
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	harness.Wait(t, ended, "the end of all Shutdowns")
	harness.Shutdown(t, d)

	harness.WantError(t, harness.Result(t, d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "late"))), processpool.ErrShutdown)
	if err := harness.Result(t, good); err != nil || good.Object().Size != 10 || good.Progress().BytesDone != 10 {
		t.Errorf("old future: got %v, %+v, %+v, want its success", err, good.Object(), good.Progress())
	}
	if err := harness.Result(t, bad); errors.Is(err, processpool.ErrShutdown) {
		t.Errorf("old future: got %v, want its own error", err)
	}
	good.Cancel()
	if err := good.Result(); err != nil {
		t.Errorf("Cancel after Shutdown: got %v, want nil", err)
	}
	leak.Files(t, dir, "file")
}

// Shutdown refuses new downloads and waits for the others.
func TestShutdownWaits(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Gate: gate})
	d := harness.NewDownloader(t, origin, harness.Processes(1))
	var futures []*processpool.Future
	var names []string
	for i := range 5 { // one is active, four are queued
		names = append(names, fmt.Sprint("file", i))
		futures = append(futures, d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, names[i])))
	}
	harness.Arrive(t, origin, 1, "HEAD")

	ended := make(chan struct{})
	go func() { defer close(ended); d.Shutdown() }()
	for deadline := time.Now().Add(harness.Patience); d.Start() == nil; { // until Shutdown has begun
		if time.Now().After(deadline) {
			t.Fatal("Start succeeds though Shutdown has been called")
		}
	}
	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "late")), processpool.ErrShutdown)
	select {
	case <-ended:
		t.Error("Shutdown returned with a download under way")
	default:
	}
	close(gate)
	harness.Wait(t, ended, "the end of Shutdown")
	for _, f := range futures {
		if !harness.IsDone(f) || f.Result() != nil {
			t.Errorf("%s: got done %v, want its success", f.Meta().Filename, harness.IsDone(f))
		}
	}
	leak.Files(t, dir, names...)
}

// More than 2000 downloads are queued at once. No call blocks, and none is lost.
func TestShutdownWithManyQueued(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", []byte("x"))
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Gate: gate})
	d := harness.NewDownloader(t, origin)
	const n = 2100
	var futures []*processpool.Future
	for i := range n {
		futures = append(futures, d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, fmt.Sprint(i))))
	}
	harness.Arrive(t, origin, 2, "HEAD")
	leak.Files(t, dir) // a queued download has no file yet

	close(gate)
	harness.Shutdown(t, d)
	for _, f := range futures {
		if !harness.IsDone(f) || f.Result() != nil {
			t.Fatalf("%d: got done %v, %v, want its success", f.Meta().TransferID, harness.IsDone(f), f.Result())
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != n {
		t.Errorf("got %d files, %v, want %d", len(entries), err, n)
	}
}

// A download that is submitted during Shutdown either succeeds or is refused.
func TestShutdownRacesSubmits(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	const submitters = 4
	futures := make([][]*processpool.Future, submitters)
	var all sync.WaitGroup
	for i := range submitters {
		all.Go(func() {
			for n := 0; ; n++ {
				f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, fmt.Sprint(i, "-", n)))
				futures[i] = append(futures[i], f)
				if errors.Is(f.Result(), processpool.ErrShutdown) {
					return
				}
			}
		})
	}
	harness.Arrive(t, origin, 40, "GET")
	harness.Shutdown(t, d)
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	harness.Wait(t, ended, "the submitters")
	var want []string
	for _, f := range slices.Concat(futures...) {
		if err := f.Result(); err == nil {
			want = append(want, filepath.Base(f.Meta().Filename))
		} else {
			harness.WantError(t, err, processpool.ErrShutdown)
		}
	}
	leak.Files(t, dir, want...)
}

// Three Downloaders in sequence with the same configuration work alike.
func TestShutdownThreeCycles(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	cfg := origin.Config()
	var names []string
	for i := range 3 {
		d := harness.NewDownloaderOf(t, origin, cfg)
		if err := d.Start(); err != nil {
			t.Fatal(err)
		}
		names = append(names, fmt.Sprint("file", i))
		f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, names[i]))
		harness.Shutdown(t, d)
		if err := harness.Result(t, f); err != nil {
			t.Errorf("cycle %d: %v", i, err)
		}
		if got := f.Meta().TransferID; got != 0 {
			t.Errorf("cycle %d: got id %d, want 0", i, got)
		}
		leak.Files(t, dir, names...)
	}
}
