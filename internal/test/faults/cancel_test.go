package faults_test

import (
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// wantCanceledIn fails the test unless the download ended with ErrCanceled in the step op.
func wantCanceledIn(t *testing.T, f *processpool.Future, op string) {
	t.Helper()
	var transfer *processpool.TransferError
	if err := harness.WantCanceled(t, f); !errors.As(err, &transfer) || transfer.Op != op {
		t.Errorf("got %v, want it in the step %q", err, op)
	}
}

// A cancel during a system call on the temporary file. It takes effect until the file is sealed, and
// not from the call before the rename on, because nothing can fail after that.
func TestFaultCancelInACall(t *testing.T) {
	for _, c := range []struct {
		call string
		nth  int32
		op   string // of the error; "": success
	}{
		{"open", 1, "get"}, {"stat", 1, "get"}, {"fallocate", 1, "get"},
		{"fsync", 1, "get"}, {"fsync", 2, "publish"}, // the first shows that the file system can sync
		{"close", 1, "publish"}, {"stat", 2, ""}, {"rename", 1, ""}, {"syncdir", 1, ""},
	} {
		t.Run(c.call, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			reached, release := make(chan struct{}), make(chan struct{})
			var seen atomic.Int32
			harness.Fault(t, func(op, _ string) error {
				if op == c.call && seen.Add(1) == c.nth {
					close(reached)
					<-release
				}
				return nil
			})
			d := harness.NewDownloader(t, origin, harness.Multipart(5, 5), harness.Durable)
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
			harness.Wait(t, reached, c.call)
			f.Cancel()
			f.Cancel() // is heard when the first has been dealt with
			close(release)
			if c.op != "" {
				wantCanceledIn(t, f, c.op)
				leak.Files(t, dir)
			} else {
				if err := harness.Result(t, f); err != nil {
					t.Errorf("got %v, want success", err)
				}
				harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
				leak.Files(t, dir, "file")
			}
			harness.WantNext(t, origin, d)
		})
	}
}

// A cancel while the library asks for the parts of the object: before the first byte, to learn
// their boundaries, and after the last byte, to find the bad one.
func TestFaultCancelInAQuestion(t *testing.T) {
	data := s3test.PatternBytes(1, 1000)
	for _, c := range []struct {
		name  string
		flip  bool
		asks  func(s3test.Request) bool
		op    string
		parts []int64
	}{
		{"the first part", false, func(r s3test.Request) bool { return r.PartNumber == "1" }, "head", []int64{400, 400, 200}},
		{"the list of parts", false, func(r s3test.Request) bool { return r.Query.Has("attributes") }, "head", []int64{300, 400, 300}},
		{"the bad part", true, func(r s3test.Request) bool { return r.Query.Has("attributes") }, "verify", []int64{400, 400, 200}},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", data, s3test.WithParts(c.parts...), s3test.WithChecksum("sha256", "COMPOSITE"))
			origin.Inject(s3test.Fault{Match: c.asks, Gate: make(chan struct{})})
			if c.flip {
				origin.Inject(s3test.Fault{Method: "GET", Times: 1, Flip: true, FlipAt: 10, Match: func(r s3test.Request) bool { return harness.Covers(r.Range, 10) }})
			}
			asked := make(chan struct{}, 8)
			origin.OnRequest(func(r s3test.Request) {
				if c.asks(r) {
					asked <- struct{}{}
				}
			})
			d := harness.NewDownloader(t, origin, harness.Multipart(100, 100), harness.Unhurried)
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
			harness.Wait(t, asked, c.name)
			f.Cancel()
			wantCanceledIn(t, f, c.op)
			leak.Files(t, dir)
			harness.WantNext(t, origin, d)
		})
	}
}

// A cancel while the library checks the destination. A test cannot delay a call in that step, so it
// tries again until it meets one.
func TestFaultCancelInTheCheck(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "HEAD", Gate: make(chan struct{})})
	d := harness.NewDownloader(t, origin, harness.Unhurried)
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
		f.Cancel()
		var transfer *processpool.TransferError
		if err := harness.WantCanceled(t, f); errors.As(err, &transfer) && transfer.Op == "check" {
			leak.Files(t, dir)
			harness.WantNext(t, origin, d)
			return
		}
	}
	t.Error("no cancel met a download in its first step")
}
