package processpool_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// unhurried lets a connection stall for longer than any test waits.
func unhurried(c *processpool.Config) { c.StallTimeout = time.Hour }

// canceled waits for the end of a download that only a hang delays, and holds it
// against what a cancel makes of it.
func canceled(t *testing.T, f *processpool.Future) error {
	t.Helper()
	select {
	case <-f.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("no result 10 s after the cancel")
	}
	err := f.Result()
	wantError(t, err, processpool.ErrCanceled, context.Canceled)
	if got := f.Object(); got != (processpool.Object{}) {
		t.Errorf("object: got %+v, want none", got)
	}
	return err
}

// A download that waits for its turn ends without a request. U8: and it is canceled.
func TestCancelBeforeStart(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Gate: gate})
	d := newDownloader(t, origin, processes(1))

	first := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "first"))
	arrive(t, origin, 1, "HEAD")
	var waiting []*processpool.Future
	for i := range 5 {
		waiting = append(waiting, d.DownloadFile(t.Context(), "b", fmt.Sprint("queued", i), filepath.Join(dir, "queued")))
	}
	for _, f := range waiting {
		f.Cancel()
		canceled(t, f)
	}
	close(gate)
	if err := result(t, first); err != nil {
		t.Errorf("the one under way: got %v, want nil", err)
	}
	shutdown(t, d)
	for _, r := range origin.Requests() {
		if r.Key != "k" {
			t.Errorf("got %s %s, want no request for what was canceled", r.Method, r.Key)
		}
	}
	leak.Files(t, dir, "first")
}

// 2e: Cancel takes effect in the middle of whatever a worker waits for, and the
// worker serves the next download.
func TestCancelUnderWay(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.PutContent("b", "k", 6*mib, s3test.Pattern(1))
	d := newDownloader(t, origin, multipart(3*mib, 3*mib), unhurried)
	for _, c := range []struct {
		name   string
		method string
		fault  s3test.Fault
	}{
		{"HEAD", "HEAD", s3test.Fault{Method: "HEAD", Gate: make(chan struct{})}},
		{"GET without an answer", "GET", s3test.Fault{Method: "GET", Gate: make(chan struct{})}},
		{"GET before the body", "GET", s3test.Fault{Method: "GET", Stall: true}},
		{"GET in mid-range", "GET", s3test.Fault{Method: "GET", Stall: true, StallAfter: 2*mib + 1}},
		{"GET in mid-range that trickles", "GET", s3test.Fault{Method: "GET", Trickle: time.Millisecond, TrickleBytes: 1}},
		{"between two attempts", "GET", s3test.Fault{Method: "GET", Status: 503, RetryAfter: "15"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			origin.ClearFaults()
			origin.ResetRequests()
			origin.Inject(c.fault)
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
			arrive(t, origin, 1, c.method)
			f.Cancel()
			canceled(t, f)
			leak.Files(t, dir)
			f.Cancel()
			canceled(t, f)

			origin.ClearFaults()
			if err := download(t, d, "k", filepath.Join(t.TempDir(), "next")); err != nil {
				t.Errorf("the next download: %v", err)
			}
		})
	}
	leak.Files(t, dir)
}

// 2e: a cancel after the end changes nothing.
func TestCancelAfterTheEnd(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	d := newDownloader(t, origin)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	good := d.DownloadFile(ctx, "b", "k", filepath.Join(dir, "file"))
	bad := d.DownloadFile(ctx, "b", "missing", filepath.Join(dir, "missing"))
	if err := result(t, good); err != nil {
		t.Fatal(err)
	}
	first := result(t, bad)
	good.Cancel()
	bad.Cancel()
	cancel()
	shutdown(t, d)
	if err := good.Result(); err != nil || good.Object().Size != 10 {
		t.Errorf("after success: got %v, %+v, want nil and the object", err, good.Object())
	}
	if err := bad.Result(); err != first || errors.Is(err, processpool.ErrCanceled) {
		t.Errorf("after a failure: got %v, want %v", err, first)
	}
	wantContent(t, filepath.Join(dir, "file"), content)
	leak.Files(t, dir, "file")
}

// 2e: the first error wins: what fails behind a cancel does not show.
func TestCancelBeforeAnError(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate, Status: 403})
	d := newDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	arrive(t, origin, 1, "GET")
	f.Cancel()
	close(gate)
	first := canceled(t, f)
	shutdown(t, d)
	if err := f.Result(); err != first {
		t.Errorf("got %v, want still %v", err, first)
	}
	leak.Files(t, dir)
}

// Words of progress that workers send until they hear of a cancel come too late.
func TestCancelUnderProgress(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.PutContent("b", "k", 32*mib, s3test.Pattern(1))
	// The delay is longer than a worker keeps progress to itself: 16 words at once.
	origin.Inject(s3test.Fault{Method: "GET", Delay: 200 * time.Millisecond, Stall: true, StallAfter: mib + 1})
	d := newDownloader(t, origin, multipart(2*mib, 2*mib), unhurried, func(c *processpool.Config) { c.RequestsPerProcess = 8 })
	steps := make(chan processpool.Progress, 64)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.OnProgress = func(p processpool.Progress) { steps <- p }
	})
	for wait(t, steps, "the first MiB").BytesDone < mib {
	}
	f.Cancel()
	canceled(t, f)
	shutdown(t, d)
	leak.Files(t, dir)
}

// A cancel at any moment leaves a whole file and nil, or no file and ErrCanceled.
func TestCancelAtAnyMoment(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	d := newDownloader(t, origin, multipart(2, 2))
	reached := make(chan int, 64)
	origin.OnRequest(func(r s3test.Request) { reached <- r.Seq })
	ends := map[bool]int{}
	var want []string
	for i := range 60 {
		f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, fmt.Sprint(i)))
		for range i % 7 { // a HEAD and five GETs at most
			select {
			case <-reached:
			case <-f.Done():
			}
		}
		f.Cancel()
		err := result(t, f)
		ends[err == nil]++
		if err == nil {
			want = append(want, fmt.Sprint(i))
			wantContent(t, filepath.Join(dir, want[len(want)-1]), content)
		} else {
			canceled(t, f)
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
