package upstream_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func TestI1BelowThreshold(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, harness.MiB)
	origin.Put("b", "1mb", want)
	d := harness.NewDownloader(t, origin, harness.Multipart(5*harness.MiB, 8*harness.MiB))

	if err := harness.Download(t, d, "1mb", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), want)
	leak.Files(t, dir, "file")
	harness.WantRanges(t, origin, "")
}

func TestI2AboveThreshold(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(2, 20*harness.MiB)
	origin.Put("b", "20mb", want)
	d := harness.NewDownloader(t, origin, harness.Multipart(5*harness.MiB, 8*harness.MiB))

	if err := harness.Download(t, d, "20mb", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), want)
	leak.Files(t, dir, "file")
	harness.WantRanges(t, origin, "bytes=0-8388607", "bytes=8388608-16777215", "bytes=16777216-20971519")
}

// I3: the context ends in the middle of a large download. Upstream's test has 60 MiB and a sleep.
// Here the origin stalls, so that only the cancel can end the download.
func TestI3LargeDownloadExitsQuickly(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.PutContent("b", "60mb", 60*harness.MiB, s3test.Pattern(3))
	origin.Inject(s3test.Fault{Method: "GET", Skip: 2, Stall: true, StallAfter: 2*harness.MiB + 1})
	d := harness.NewDownloader(t, origin, harness.Multipart(5*harness.MiB, 8*harness.MiB), harness.Unhurried)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	f := d.DownloadFile(ctx, "b", "60mb", filepath.Join(dir, "dest"))
	harness.Arrive(t, origin, 4, "GET")
	cancel()
	harness.Shutdown(t, d)
	harness.WantError(t, harness.Result(t, f), processpool.ErrCanceled)
	leak.Files(t, dir)
}

func TestI4ManyFilesExitQuickly(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.PutContent("b", "1mb", harness.MiB, s3test.Pattern(4))
	origin.Inject(s3test.Fault{Stall: true})
	d := harness.NewDownloader(t, origin, harness.Multipart(5*harness.MiB, 8*harness.MiB), harness.Unhurried)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	var futures []*processpool.Future
	for i := range 10 {
		futures = append(futures, d.DownloadFile(ctx, "b", "1mb", filepath.Join(dir, fmt.Sprint("file", i))))
	}
	cancel()
	harness.Shutdown(t, d)
	for _, f := range futures {
		harness.WantError(t, harness.Result(t, f), processpool.ErrCanceled)
	}
	leak.Files(t, dir)
}
