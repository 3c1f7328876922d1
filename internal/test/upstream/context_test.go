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

// The end of the context cancels the download. The error has the cause of the context.
func TestCancelByContext(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Stall: true})
	d := harness.NewDownloader(t, origin, harness.Unhurried)
	cause := errors.New("the user went home")
	for _, c := range []struct {
		name string
		ctx  func() (context.Context, func())
		end  bool // call the function; otherwise the context ends by itself
		want error
	}{
		{"cancel", func() (context.Context, func()) { return context.WithCancel(t.Context()) }, true, context.Canceled},
		{"cause", func() (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(t.Context())
			return ctx, func() { cancel(cause) }
		}, true, cause},
		{"deadline", func() (context.Context, func()) {
			return context.WithDeadline(t.Context(), time.Now().Add(200*time.Millisecond))
		}, false, context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, end := c.ctx()
			defer end()
			before := len(origin.Requests())
			f := d.DownloadFile(ctx, "b", "k", filepath.Join(dir, "file"))
			if c.end {
				harness.Arrive(t, origin, before+1, "")
				end()
			}
			err := harness.WantCanceled(t, f)
			if !errors.Is(err, c.want) {
				t.Errorf("got %q, want it to be %q, too", err, c.want)
			}
			leak.Files(t, dir)

			late := d.DownloadFile(ctx, "b", "k", filepath.Join(dir, "late"))
			if err := harness.WantCanceled(t, late); !errors.Is(err, c.want) {
				t.Errorf("a context that has ended: got %q, want it to be %q, too", err, c.want)
			}
		})
	}
	leak.Files(t, dir)
}

// U7: a context cancels its own transfer, and no other.
func TestFutureContextIsItsOwn(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Gate: gate})
	d := harness.NewDownloader(t, origin)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	ended := d.DownloadFile(ctx, "b", "k", filepath.Join(dir, "ended"))
	other := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "other"))
	harness.Arrive(t, origin, 2, "HEAD")
	cancel()
	harness.WantError(t, harness.Result(t, ended), processpool.ErrCanceled)
	close(gate)
	if err := harness.Result(t, other); err != nil {
		t.Errorf("the other transfer: got %v, want nil", err)
	}
	leak.Files(t, dir, "other")
}

// U27, U28: the end of a shared context cancels all transfers that have not ended, and only those.
func TestFutureCancelAll(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	finished := d.DownloadFile(ctx, "b", "k", filepath.Join(dir, "finished"))
	if err := harness.Result(t, finished); err != nil {
		t.Fatal(err)
	}
	failed := d.DownloadFile(ctx, "b", "missing", filepath.Join(dir, "failed"))
	failure := harness.Result(t, failed)
	harness.WantError(t, failure)
	origin.Inject(s3test.Fault{Stall: true})
	var futures []*processpool.Future
	for i := range 10 {
		futures = append(futures, d.DownloadFile(ctx, "b", "k", filepath.Join(dir, fmt.Sprint("canceled", i))))
	}
	cancel()
	for _, f := range futures {
		harness.WantError(t, harness.Result(t, f), processpool.ErrCanceled)
	}
	if err := finished.Result(); err != nil {
		t.Errorf("the finished one: got %v, want nil", err)
	}
	if err := failed.Result(); err != failure || errors.Is(err, processpool.ErrCanceled) {
		t.Errorf("the failed one: got %v, want %v", err, failure)
	}
	leak.Files(t, dir, "finished")
}
