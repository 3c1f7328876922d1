package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func TestDirectoryCancel(t *testing.T) {
	for _, during := range []string{"the listing", "the downloads"} {
		for _, how := range []string{"Cancel", "context"} {
			t.Run(how+" during "+during, func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t, harness.Pages(10)), t.TempDir()
				for i := range 20 {
					origin.Put("b", fmt.Sprintf("%02d", i), harness.Content)
				}
				fault := s3test.Fault{Match: isGet, Gate: make(chan struct{})}
				if during == "the listing" {
					fault = s3test.Fault{Match: harness.IsList, Gate: make(chan struct{})}
				}
				origin.Inject(fault)
				d := harness.NewDownloader(t, origin)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				all := d.DownloadDirectory(ctx, "b", "", dir)
				harness.Reach(t, origin, fault.Match)
				cause := error(nil)
				if how == "Cancel" {
					all.Cancel()
				} else {
					cause = errors.New("the caller's own")
					cancel(cause)
				}
				harness.Wait(t, all.Done(), "the end of the directory")
				err := harness.WantDirectoryError(t, all.Result(), 0, processpool.ErrCanceled, context.Canceled)
				if cause != nil && !errors.Is(err, cause) {
					t.Errorf("got %v, want one that is %v", err, cause)
				}
				if p := all.Progress(); p.Failed != 0 || p.Done != 0 {
					t.Errorf("got %+v", p)
				}
				all.Cancel()
				harness.WantTree(t, dir)
				harness.Shutdown(t, d)
			})
		}
	}
}

// A cancel after the end changes nothing.
func TestDirectoryCancelAfterwards(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	all := harness.Directory(t, d, "", dir)
	all.Cancel()
	if err := all.Result(); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

// Shutdown waits for a Directory, including the downloads it has not started yet, and refuses a new
// one.
func TestDirectoryShutdown(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t, harness.Pages(2)), t.TempDir()
	for i := range 20 {
		origin.Put("b", fmt.Sprint(i), harness.Content)
	}
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Match: harness.IsList, Gate: gate})
	d := harness.NewDownloader(t, origin)
	all := d.DownloadDirectory(t.Context(), "b", "", dir)
	harness.Reach(t, origin, harness.IsList)
	ended := make(chan struct{})
	go func() { defer close(ended); d.Shutdown() }()
	for d.Start() == nil { // until Shutdown has begun
	}
	late := harness.Directory(t, d, "", dir)
	harness.WantDirectoryError(t, late.Result(), 0, processpool.ErrShutdown)
	select {
	case <-ended:
		t.Error("Shutdown returned with a directory under way")
	default:
	}
	close(gate)
	harness.Wait(t, ended, "the end of Shutdown")
	if !harness.IsDone(all) || all.Result() != nil || all.Progress().Done != 20 {
		t.Errorf("got done %v, %v, %+v", harness.IsDone(all), all.Result(), all.Progress())
	}
}
