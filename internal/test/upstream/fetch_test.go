package upstream_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// U41, U42: until the last range has arrived, the bytes are in the temporary file and the
// destination does not exist. Then the destination exists and the temporary file does not.
func TestFetchLastRangePublishes(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Range: "bytes=5-9", Gate: gate})
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))
	steps := make(chan processpool.Progress, 16)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.OnProgress = func(p processpool.Progress) { steps <- p }
	})
	for harness.Wait(t, steps, "the first range").BytesDone != 5 {
	}
	name := harness.Temporary(t, dir, "file")
	leak.Files(t, dir, filepath.Base(name))
	// Utils: the temporary name is the destination with 8 hexadecimal digits appended.
	if got, want := filepath.Base(name), regexp.MustCompile(`^file\.[0-9A-Fa-f]{8}$`); !want.MatchString(got) {
		t.Errorf("temporary name: got %q, want one like %s", got, want)
	}
	harness.WantContent(t, name, []byte("my co\x00\x00\x00\x00\x00"))
	close(gate)
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	leak.Files(t, dir, "file")
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
}

// U44: each range is written at its offset, in whatever order the ranges arrive.
func TestFetchWritesAtOffsets(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", []byte("abc"))
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Range: "bytes=0-0", Gate: gate})
	origin.Inject(s3test.Fault{Range: "bytes=2-2", Do: func(*s3test.Server, s3test.Request) { close(gate) }})
	d := harness.NewDownloader(t, origin, harness.Multipart(1, 1))

	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), []byte("abc"))
	leak.Files(t, dir, "file")
}

// U45: an error of S3 in answer to a GET is the result.
func TestFetchGetFails(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.CreateBucket("b")
	d := harness.NewDownloader(t, origin)

	err := harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.Expect(10))
	var missing *types.NoSuchKey
	if !errors.As(err, &missing) {
		t.Errorf("got %v, want a *types.NoSuchKey", err)
	}
	harness.WantRanges(t, origin, "")
	leak.Files(t, dir)
}

// U46, T2: connections that stall, break off or are reset are retried.
func TestFetchRetries(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "GET", Times: 1, Stall: true, StallAfter: 0})
	origin.Inject(s3test.Fault{Method: "GET", Times: 1, Cut: true, CutAfter: -1})
	origin.Inject(s3test.Fault{Method: "GET", Times: 1, Cut: true, Reset: true})
	d := harness.NewDownloader(t, origin, func(c *processpool.Config) { c.StallTimeout = 300 * time.Millisecond })

	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	harness.WantRanges(t, origin, "", "", "", "")
	leak.Files(t, dir, "file")
}

// U47, T3: a request that makes no progress has five attempts, and more of them only for the sake of
// RetryTimeout.
func TestFetchRetriesExceeded(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	cut := origin.Inject(s3test.Fault{Method: "GET", Cut: true})
	d := harness.NewDownloader(t, origin, func(c *processpool.Config) { c.RetryTimeout = 0 })

	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), processpool.ErrRetriesExceeded)
	if cut.Hits() != 5 {
		t.Errorf("got %d GETs, want 5", cut.Hits())
	}
	leak.Files(t, dir)
}

// U48: after a range has failed, no further range is requested.
func TestFetchNothingAfterAnError(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Range: "bytes=4-5", Status: 404})
	d := harness.NewDownloader(t, origin, harness.Multipart(2, 2), harness.Processes(1))

	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")))
	harness.Shutdown(t, d)
	harness.WantRanges(t, origin, "bytes=0-1", "bytes=2-3", "bytes=4-5")
	leak.Files(t, dir)
}

// U49: a range that is still in flight when another fails does not recreate the file.
func TestFetchLastRangeAfterAnError(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Range: "bytes=5-9", Gate: gate})
	origin.Inject(s3test.Fault{Range: "bytes=0-4", Status: 404})
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	var missing *types.NoSuchKey
	if err := harness.Result(t, f); !errors.As(err, &missing) {
		t.Errorf("got %v, want a *types.NoSuchKey", err)
	}
	leak.Files(t, dir)
	close(gate)
	harness.Shutdown(t, d)
	leak.Files(t, dir)
}

// U50: an error of the rename is the result, and the temporary file is removed.
func TestFetchRenameFails(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	name := filepath.Join(dir, "file")
	made := make(chan error, 1)
	origin.Inject(s3test.Fault{Method: "GET", Do: func(*s3test.Server, s3test.Request) { made <- os.Mkdir(name, 0o777) }})
	d := harness.NewDownloader(t, origin)

	err := harness.Download(t, d, "k", name)
	harness.WantError(t, err, sink.ErrNotRegular)
	if err := harness.Wait(t, made, "the directory"); err != nil {
		t.Fatal(err)
	}
	leak.Files(t, dir, "file")
	leak.Files(t, name)
}

// Utils: it is no error if the temporary file does not exist when it is to be removed.
func TestFetchTemporaryFileIsGone(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "GET", Stall: true})
	d := harness.NewDownloader(t, origin, harness.Unhurried)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 1, "GET")
	if err := os.Remove(harness.Temporary(t, dir, "file")); err != nil {
		t.Fatal(err)
	}
	f.Cancel()
	harness.WantError(t, harness.Result(t, f), processpool.ErrCanceled)
	leak.Files(t, dir)
}

// A foreign file under the temporary name is neither published nor removed.
func TestFetchTemporaryFileIsReplaced(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate})
	d := harness.NewDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 1, "GET")
	name := harness.Temporary(t, dir, "file")
	if err := errors.Join(os.Remove(name), os.WriteFile(name, []byte("not yours"), 0o666)); err != nil {
		t.Fatal(err)
	}
	close(gate)
	harness.WantError(t, harness.Result(t, f), sink.ErrReplaced)
	harness.WantContent(t, name, []byte("not yours"))
	leak.Files(t, dir, filepath.Base(name))
}
