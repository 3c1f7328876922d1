package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// files requests n objects of b to files of dir.
func files(dir string, n int) iter.Seq[processpool.Request] {
	return func(yield func(processpool.Request) bool) {
		for i := range n {
			name := fmt.Sprintf("%04d", i)
			if !yield(processpool.Request{Bucket: "b", Key: name, Filename: filepath.Join(dir, name)}) {
				return
			}
		}
	}
}

// listed returns an origin with n objects.
func listed(t *testing.T, n int) *s3test.Server {
	origin := harness.StartOrigin(t)
	for i := range n {
		origin.Put("b", fmt.Sprintf("%04d", i), harness.Content)
	}
	return origin
}

// Every request has its Future, each once, when it has ended.
func TestDownloadAll(t *testing.T) {
	leak.Check(t)
	const n = 300 // three windows
	origin, dir := listed(t, n-1), t.TempDir()
	d := harness.NewDownloader(t, origin)
	seen, failed := map[string]bool{}, 0
	own := func(o *processpool.DownloadOptions) { o.UserContext = "own" }
	for f := range d.DownloadAll(t.Context(), files(dir, n), harness.SkipHead, own) {
		if !harness.IsDone(f) {
			t.Fatal("a Future that has not ended")
		}
		if seen[f.Meta().Key] || f.Meta().UserContext != "own" {
			t.Errorf("%+v: seen %v, want it once, with its options", f.Meta(), seen[f.Meta().Key])
		}
		seen[f.Meta().Key] = true
		if f.Result() != nil {
			failed++
		}
	}
	if len(seen) != n || failed != 1 {
		t.Errorf("got %d Futures, of which %d failed, want %d and 1", len(seen), failed, n)
	}
	if s := d.Stats(); s.Done != n-1 || s.Failed != 1 || s.Queued+s.Active != 0 {
		t.Errorf("got %+v", s)
	}
}

// No more requests are taken than the window has room for.
func TestDownloadAllWindow(t *testing.T) {
	leak.Check(t)
	origin, dir := listed(t, 1), t.TempDir()
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Gate: gate})
	d := harness.NewDownloader(t, origin)
	var taken atomic.Int32
	full := make(chan struct{})
	requests := func(yield func(processpool.Request) bool) {
		for i := range 1000 {
			if taken.Add(1) == 101 { // the 101st is offered, and not taken
				close(full)
			}
			if !yield(processpool.Request{Bucket: "b", Key: "0000", Filename: filepath.Join(dir, fmt.Sprint(i))}) {
				return
			}
		}
	}
	go func() {
		<-full
		close(gate)
	}()
	first := true
	for range d.DownloadAll(t.Context(), requests) {
		if first && taken.Load() > 102 {
			t.Errorf("%d requests were taken before the first had ended, want the window of 100", taken.Load())
		}
		first = false
	}
	if got := taken.Load(); got != 1000 {
		t.Errorf("got %d requests, want all", got)
	}
}

// Leaving the loop cancels what is under way, and nothing runs after it; so does a panic in it.
func TestDownloadAllLeft(t *testing.T) {
	for name, leave := range map[string]func(){"break": nil, "panic": func() { panic("in the body") }} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := listed(t, 50), t.TempDir()
			origin.Inject(s3test.Fault{Method: "GET", Skip: 1, Gate: make(chan struct{})})
			d := harness.NewDownloader(t, origin, harness.Unhurried)
			ended := false
			requests := func(yield func(processpool.Request) bool) {
				defer func() { ended = true }()
				files(dir, 50)(yield)
			}
			func() {
				defer func() {
					if got := recover(); (got == nil) != (leave == nil) {
						t.Errorf("got panic %v", got)
					}
				}()
				for range d.DownloadAll(t.Context(), requests) {
					if leave != nil {
						leave()
					}
					break
				}
			}()
			if s := d.Stats(); !ended || s.Queued+s.Active != 0 || s.Canceled == 0 {
				t.Errorf("after the loop: ended %v, %+v, want nothing under way", ended, s)
			}
		})
	}
}

// A panic of the sequence is one of the loop.
func TestDownloadAllSequencePanics(t *testing.T) {
	leak.Check(t)
	origin, dir := listed(t, 5), t.TempDir()
	d := harness.NewDownloader(t, origin)
	defer func() {
		if got := recover(); got != "in the sequence" {
			t.Errorf("got panic %v, want that of the sequence", got)
		}
		if s := d.Stats(); s.Queued+s.Active != 0 {
			t.Errorf("got %+v, want nothing under way", s)
		}
	}()
	for range d.DownloadAll(t.Context(), func(yield func(processpool.Request) bool) {
		files(dir, 2)(yield)
		panic("in the sequence")
	}) {
	}
}

// What has ended is yielded while the sequence blocks.
func TestDownloadAllSequenceBlocks(t *testing.T) {
	leak.Check(t)
	origin, dir := listed(t, 5), t.TempDir()
	d := harness.NewDownloader(t, origin)
	seen := make(chan struct{}, 5)
	n := 0
	for f := range d.DownloadAll(t.Context(), func(yield func(processpool.Request) bool) {
		for r := range files(dir, 5) {
			if !yield(r) {
				return
			}
			<-seen // until the loop has seen it
		}
	}) {
		if err := f.Result(); err != nil {
			t.Error(err)
		}
		n++
		seen <- struct{}{}
	}
	if n != 5 {
		t.Errorf("got %d, want 5", n)
	}
}

// The end of the context ends the loop: what is under way is canceled, and yielded.
func TestDownloadAllCanceled(t *testing.T) {
	leak.Check(t)
	origin, dir := listed(t, 5), t.TempDir()
	origin.Inject(s3test.Fault{Method: "GET", Gate: make(chan struct{})})
	d := harness.NewDownloader(t, origin, harness.Unhurried)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		harness.Arrive(t, origin, 1, "GET")
		cancel()
	}()
	n := 0
	for f := range d.DownloadAll(ctx, func(yield func(processpool.Request) bool) {
		files(dir, 5)(yield)
		<-ctx.Done() // a sequence that waits for more
	}) {
		harness.WantError(t, f.Result(), processpool.ErrCanceled)
		n++
	}
	if n != 5 {
		t.Errorf("got %d Futures, want the 5 that were begun", n)
	}
	for range d.DownloadAll(ctx, files(dir, 5)) {
		t.Error("a request was taken with a context that has ended")
	}
	leak.Files(t, dir)
}

// Two loops at once, a Shutdown that waits for both, and one that came before.
func TestDownloadAllAtOnceAndShutdown(t *testing.T) {
	leak.Check(t)
	origin, dir := listed(t, 150), t.TempDir()
	d := harness.NewDownloader(t, origin)
	all := files(dir, 150)
	shut, counts := make(chan error, 1), make(chan int, 2)
	for range 2 {
		go func() {
			n := 0
			for f := range d.DownloadAll(t.Context(), all) {
				if err := f.Result(); err != nil {
					t.Error(err)
				}
				n++
			}
			counts <- n
		}()
	}
	harness.Arrive(t, origin, 4, "")
	go func() { shut <- d.Shutdown() }()
	got := []int{harness.Wait(t, counts, "a loop"), harness.Wait(t, counts, "a loop")}
	if err := harness.Wait(t, shut, "Shutdown"); err != nil || !slices.Equal(got, []int{150, 150}) {
		t.Errorf("got %v Futures, Shutdown %v, want all of both", got, err)
	}
	n := 0
	for f := range d.DownloadAll(t.Context(), files(dir, 3)) {
		if !errors.Is(f.Result(), processpool.ErrShutdown) {
			t.Errorf("got %v, want ErrShutdown", f.Result())
		}
		n++
	}
	if n != 3 {
		t.Errorf("after Shutdown: got %d Futures, want 3", n)
	}
}

// Bad arguments are the result of their Future alone.
func TestDownloadAllArguments(t *testing.T) {
	leak.Check(t)
	origin, dir := listed(t, 1), t.TempDir()
	d := harness.NewDownloader(t, origin)
	requests := []processpool.Request{
		{Bucket: "", Key: "0000", Filename: filepath.Join(dir, "a")},
		{Bucket: "b", Key: "0000", Filename: filepath.Join(dir, "b")},
		{Bucket: "b", Key: "0000", Filename: dir + "/"},
	}
	var failed []string
	for f := range d.DownloadAll(t.Context(), slices.Values(requests)) {
		if f.Result() != nil {
			failed = append(failed, f.Meta().Filename)
		}
	}
	if slices.Sort(failed); !slices.Equal(failed, []string{dir + "/", filepath.Join(dir, "a")}) {
		t.Errorf("got failures %q", failed)
	}
}
