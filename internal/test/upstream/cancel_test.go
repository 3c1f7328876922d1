package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// U8: a queued download can be canceled. It sends no request, unless the worker has it for later and
// begins it before it hears of that.
func TestCancelBeforeStart(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Gate: gate})
	d := harness.NewDownloader(t, origin, harness.Processes(1))

	first := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "first"))
	harness.Arrive(t, origin, 1, "HEAD")
	var waiting []*processpool.Future
	for i := range 5 {
		key := fmt.Sprint("queued", i)
		origin.Put("b", key, harness.Content) // a HeadObject that is refused is followed by a GetObject
		waiting = append(waiting, d.DownloadFile(t.Context(), "b", key, filepath.Join(dir, "queued")))
	}
	for _, f := range waiting {
		f.Cancel()
		harness.WantCanceled(t, f)
	}
	close(gate)
	if err := harness.Result(t, first); err != nil {
		t.Errorf("the one under way: got %v, want nil", err)
	}
	harness.Shutdown(t, d)
	begun := 0
	for _, r := range origin.Requests() {
		if r.Key == "k" {
			continue
		}
		if begun++; begun > 1 || r.Method != "HEAD" {
			t.Errorf("got %s %s, want no request for what was canceled, but one HEAD at most", r.Method, r.Key)
		}
	}
	leak.Files(t, dir, "first")
}

// Cancel takes effect whatever a worker is waiting for, and the worker serves the next download.
func TestCancelUnderWay(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.PutContent("b", "k", 6*harness.MiB, s3test.Pattern(1))
	d := harness.NewDownloader(t, origin, harness.Multipart(3*harness.MiB, 3*harness.MiB), harness.Unhurried)
	for _, c := range []struct {
		name   string
		method string
		fault  s3test.Fault
	}{
		{"HEAD", "HEAD", s3test.Fault{Method: "HEAD", Gate: make(chan struct{})}},
		{"GET without an answer", "GET", s3test.Fault{Method: "GET", Gate: make(chan struct{})}},
		{"GET before the body", "GET", s3test.Fault{Method: "GET", Stall: true}},
		{"GET in mid-range", "GET", s3test.Fault{Method: "GET", Stall: true, StallAfter: 2*harness.MiB + 1}},
		{"GET in mid-range that trickles", "GET", s3test.Fault{Method: "GET", Trickle: time.Millisecond, TrickleBytes: 1}},
		{"between two attempts", "GET", s3test.Fault{Method: "GET", Status: 503, RetryAfter: "15"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			origin.ClearFaults()
			origin.ResetRequests()
			origin.Inject(c.fault)
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
			harness.Arrive(t, origin, 1, c.method)
			f.Cancel()
			harness.WantCanceled(t, f)
			leak.Files(t, dir)
			f.Cancel()
			harness.WantCanceled(t, f)

			origin.ClearFaults()
			if err := harness.Download(t, d, "k", filepath.Join(t.TempDir(), "next")); err != nil {
				t.Errorf("the next download: %v", err)
			}
		})
	}
	leak.Files(t, dir)
}

// A cancel after the end changes nothing.
func TestCancelAfterTheEnd(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	good := d.DownloadFile(ctx, "b", "k", filepath.Join(dir, "file"))
	bad := d.DownloadFile(ctx, "b", "missing", filepath.Join(dir, "missing"))
	if err := harness.Result(t, good); err != nil {
		t.Fatal(err)
	}
	first := harness.Result(t, bad)
	good.Cancel()
	bad.Cancel()
	cancel()
	harness.Shutdown(t, d)
	if err := good.Result(); err != nil || good.Object().Size != 10 {
		t.Errorf("after success: got %v, %+v, want nil and the object", err, good.Object())
	}
	if err := bad.Result(); err != first || errors.Is(err, processpool.ErrCanceled) {
		t.Errorf("after a failure: got %v, want %v", err, first)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	leak.Files(t, dir, "file")
}

// The first error wins: a failure after a cancel is not reported.
func TestCancelBeforeAnError(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate, Status: 403})
	d := harness.NewDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 1, "GET")
	f.Cancel()
	close(gate)
	first := harness.WantCanceled(t, f)
	harness.Shutdown(t, d)
	if err := f.Result(); err != first {
		t.Errorf("got %v, want still %v", err, first)
	}
	leak.Files(t, dir)
}

// Progress that workers report before they receive a cancel arrives too late, and is ignored.
func TestCancelUnderProgress(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.PutContent("b", "k", 32*harness.MiB, s3test.Pattern(1))
	// The delay exceeds the interval at which a worker reports progress: 16 reports come at once.
	origin.Inject(s3test.Fault{Method: "GET", Delay: 200 * time.Millisecond, Stall: true, StallAfter: harness.MiB + 1})
	d := harness.NewDownloader(t, origin, harness.Multipart(2*harness.MiB, 2*harness.MiB), harness.Unhurried, func(c *processpool.Config) { c.RequestsPerProcess = 8 })
	steps := make(chan processpool.Progress, 64)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.OnProgress = func(p processpool.Progress) { steps <- p }
	})
	for harness.Wait(t, steps, "the first MiB").BytesDone < harness.MiB {
	}
	f.Cancel()
	harness.WantCanceled(t, f)
	harness.Shutdown(t, d)
	leak.Files(t, dir)
}

// A cancel at any moment results in a complete file and nil, or in no file and ErrCanceled.
func TestCancelAtAnyMoment(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Multipart(2, 2))
	reached := make(chan int, 64)
	origin.OnRequest(func(r s3test.Request) { reached <- r.Seq })
	ends := map[bool]int{}
	var want []string
	for i := range 60 {
		f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, fmt.Sprint(i)))
		for range i % 7 { // at most one HEAD and five GETs
			select {
			case <-reached:
			case <-f.Done():
			}
		}
		f.Cancel()
		err := harness.Result(t, f)
		ends[err == nil]++
		if err == nil {
			want = append(want, fmt.Sprint(i))
			harness.WantContent(t, filepath.Join(dir, want[len(want)-1]), harness.Content)
		} else {
			harness.WantCanceled(t, f)
		}
		for len(reached) > 0 {
			<-reached
		}
	}
	leak.Files(t, dir, want...)
	if ends[false] == 0 {
		t.Errorf("got %d successes and no cancel: the test does not test", ends[true])
	}
}
