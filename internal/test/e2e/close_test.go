package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Wait returns what was downloaded, or the error of Result; or the context's error, and the download
// goes on.
func TestWait(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Key: "k", Times: 1, Gate: gate})
	d := harness.NewDownloader(t, origin)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 1, "")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the cause"))
	if o, err := f.Wait(ctx); err != context.Canceled || o.Size != 0 {
		t.Errorf("got %+v, %v, want the context's error", o, err)
	}
	if harness.IsDone(f) {
		t.Error("the download has ended with the wait")
	}
	close(gate)
	o, err := f.Wait(t.Context())
	if err != nil || o.Size != int64(len(harness.Content)) || o.ETag == "" {
		t.Errorf("got %+v, %v, want the object", o, err)
	}
	if o, err := f.Wait(ctx); err != nil || o.Size == 0 {
		t.Errorf("after the end, with a context that has ended: got %+v, %v, want the object", o, err)
	}
	f = d.DownloadFile(t.Context(), "b", "missing", filepath.Join(dir, "missing"))
	_, err = f.Wait(t.Context())
	harness.WantError(t, err)
	if err != f.Result() {
		t.Errorf("got %v, want the error of Result", err)
	}
	leak.Files(t, dir, "file")
}

// Close cancels what waits, what is under way, and directories, and leaves nothing.
func TestClose(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	for i := range 20 {
		origin.Put("b", fmt.Sprintf("tree/%02d", i), harness.Content)
	}
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "GET", Match: func(r s3test.Request) bool { return r.Key != "" }, Gate: make(chan struct{})})
	d := harness.NewDownloader(t, origin, harness.Unhurried)
	all := d.DownloadDirectory(t.Context(), "b", "tree/", filepath.Join(dir, "all"))
	harness.Reach(t, origin, func(r s3test.Request) bool { return r.Method == "GET" && r.Key != "" })
	var futures []*processpool.Future
	for i := range 10 {
		futures = append(futures, d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, fmt.Sprint(i))))
	}
	shut := make(chan error, 1)
	go func() { shut <- d.Shutdown() }() // would wait for ever
	if err := d.Close(); err != nil {
		t.Errorf("Close: got %v, want nil", err)
	}
	if err := harness.Wait(t, shut, "Shutdown"); err != nil {
		t.Error(err)
	}
	for _, f := range futures {
		if !harness.IsDone(f) {
			t.Fatal("a download has no result after Close")
		}
		if err := f.Result(); !errors.Is(err, processpool.ErrCanceled) && !errors.Is(err, processpool.ErrShutdown) {
			t.Errorf("got %v, want ErrCanceled", err)
		}
	}
	if err := all.Result(); !errors.Is(err, processpool.ErrCanceled) {
		t.Errorf("the directory: got %v, want ErrCanceled", err)
	}
	if err := d.Close(); err != nil {
		t.Errorf("again: got %v, want nil", err)
	}
	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "late")), processpool.ErrShutdown)
	leak.Files(t, dir, "all")
	harness.WantTree(t, filepath.Join(dir, "all"))
}

// Close of a Downloader that was never started does nothing.
func TestCloseWithoutStart(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	d := harness.NewDownloader(t, origin)
	if err := d.Close(); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	if err := d.Start(); !errors.Is(err, processpool.ErrShutdown) {
		t.Errorf("Start: got %v, want ErrShutdown", err)
	}
}

// Temporary tells what is worth another try later.
func TestTemporary(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Quickly)
	for name, c := range map[string]struct {
		fault    s3test.Fault
		key, dir string
		want     bool
	}{
		"503":          {s3test.Fault{Status: 503}, "k", dir, true},
		"429":          {s3test.Fault{Status: 429}, "k", dir, true},
		"500":          {s3test.Fault{Status: 500}, "k", dir, true},
		"cut":          {s3test.Fault{Cut: true, CutAfter: -1}, "k", dir, true},
		"wrong range":  {s3test.Fault{Method: "GET", Header: map[string]string{"ETag": ""}, ExtraBytes: 1}, "k", dir, true},
		"403":          {s3test.Fault{Status: 403}, "k", dir, false},
		"missing":      {s3test.Fault{Key: "none"}, "missing", dir, false},
		"no directory": {s3test.Fault{Key: "none"}, "k", filepath.Join(dir, "none"), false},
	} {
		t.Run(name, func(t *testing.T) {
			origin.ClearFaults()
			origin.Inject(c.fault)
			err := harness.Result(t, d.DownloadFile(t.Context(), "b", c.key, filepath.Join(c.dir, "file")))
			var transfer *processpool.TransferError
			if !errors.As(err, &transfer) || transfer.Temporary() != c.want {
				t.Errorf("got %v, temporary %v, want %v", err, transfer != nil && transfer.Temporary(), c.want)
			}
		})
	}
}
