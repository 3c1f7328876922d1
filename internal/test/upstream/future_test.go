package upstream_test

import (
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// U3, U9, U10, U11, U18: Meta returns the arguments of the call. IDs begin at 0.
func TestFutureMeta(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	name := filepath.Join(dir, "file")
	own := &struct{ text string }{"the caller's own"}
	size := int64(10)
	options := processpool.DownloadOptions{
		ExtraArgs:    processpool.ExtraArgs{ExpectedBucketOwner: s3test.DefaultOwner},
		ExpectedSize: &size,
		UserContext:  own,
	}

	first := d.DownloadFile(t.Context(), "b", "k", name, func(o *processpool.DownloadOptions) { *o = options })
	second := d.DownloadFile(t.Context(), "b", "k2", name+"2")
	third := d.DownloadFile(t.Context(), "", "", "")
	want := processpool.Meta{TransferID: 0, Bucket: "b", Key: "k", Filename: name, DownloadOptions: options}
	if got := first.Meta(); !reflect.DeepEqual(got, want) {
		t.Errorf("got meta %+v, want %+v", got, want)
	}
	if got := first.Meta().UserContext; got != own {
		t.Errorf("UserContext: got %v, want the pointer given", got)
	}
	if got := second.Meta(); got.TransferID != 1 || got.Key != "k2" || got.UserContext != nil {
		t.Errorf("got meta %+v, want id 1, key k2 and no context", got)
	}
	if got := third.Meta().TransferID; got != 2 {
		t.Errorf("id of one that was refused: got %d, want 2", got)
	}
	if err := harness.Result(t, first); err != nil {
		t.Error(err)
	}
	harness.WantError(t, harness.Result(t, second))
	harness.WantError(t, harness.Result(t, third))
	leak.Files(t, dir, "file")
}

// U4, U17, U20, U23, U29: a new transfer is not done, and has neither an error nor an object before
// it ends.
func TestFutureDone(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	o := origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Gate: gate})
	d := harness.NewDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 1, "HEAD")
	if harness.IsDone(f) {
		t.Fatalf("done before the first answer: %v", f.Result())
	}
	if got := f.Object(); !reflect.ValueOf(got).IsZero() {
		t.Errorf("object before the end: got %+v, want none", got)
	}
	if got, want := f.Progress(), (processpool.Progress{BytesTotal: -1}); got != want {
		t.Errorf("progress before the first answer: got %+v, want %+v", got, want)
	}
	close(gate)
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	if got, want := f.Progress(), (processpool.Progress{BytesDone: 10, BytesTotal: 10}); got != want {
		t.Errorf("progress at the end: got %+v, want %+v", got, want)
	}
	got := f.Object()
	if got.Size != o.Size || got.ETag != o.ETag || !got.LastModified.Equal(o.LastModified) || got.VersionId != "" {
		t.Errorf("got object %+v, want what the origin stores: %+v", got, o)
	}
	leak.Files(t, dir, "file")
}

// U5, U24, U26, U30: Result waits for the end, and then returns nil.
func TestFutureResultWaits(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate})
	d := harness.NewDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	var opened atomic.Bool
	type end struct {
		after bool
		err   error
	}
	ends := make(chan end)
	for range 8 {
		go func() {
			err := f.Result()
			ends <- end{opened.Load(), err}
		}()
	}
	harness.Arrive(t, origin, 1, "GET")
	opened.Store(true)
	close(gate)
	for range 8 {
		if got := harness.Wait(t, ends, "a result"); !got.after || got.err != nil {
			t.Errorf("got result %v, behind the answer %v, want nil, true", got.err, got.after)
		}
	}
	leak.Files(t, dir, "file")
}

// U6, U19, U25, U31: every call of Result returns the first error, also after Shutdown.
func TestFutureResultError(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.CreateBucket("b")
	d := harness.NewDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	first := harness.Result(t, f)
	harness.WantError(t, first)
	f.Cancel()
	harness.Shutdown(t, d)
	ends := make(chan error)
	for range 8 {
		go func() { ends <- f.Result() }()
	}
	for range 8 {
		if got := harness.Wait(t, ends, "a result"); got != first {
			t.Errorf("got %v, want the first error %v", got, first)
		}
	}
	leak.Files(t, dir)
}

// U21, U22, U32: each transfer counts its own ranges down to none.
func TestFutureCountsItsOwnRanges(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	gate := make(chan struct{})
	steps := map[string]chan processpool.Progress{}
	for _, key := range []string{"k", "k2"} {
		origin.Put("b", key, harness.Content)
		steps[key] = make(chan processpool.Progress, 16)
	}
	origin.Inject(s3test.Fault{Range: "bytes=5-9", Gate: gate})
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))
	var futures []*processpool.Future
	for _, key := range []string{"k", "k2"} {
		futures = append(futures, d.DownloadFile(t.Context(), "b", key, filepath.Join(dir, key), func(o *processpool.DownloadOptions) {
			o.OnProgress = func(p processpool.Progress) { steps[key] <- p }
		}))
	}
	half := func(key string) {
		t.Helper()
		for harness.Wait(t, steps[key], "half of "+key).BytesDone != 5 {
		}
	}
	half("k")
	half("k2")
	close(gate)
	for _, f := range futures {
		if err := harness.Result(t, f); err != nil {
			t.Error(err)
		}
		if got, want := f.Progress(), (processpool.Progress{BytesDone: 10, BytesTotal: 10}); got != want {
			t.Errorf("%s: got %+v, want %+v", f.Meta().Key, got, want)
		}
	}
	leak.Files(t, dir, "k", "k2")
}
