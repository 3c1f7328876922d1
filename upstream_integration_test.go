package processpool_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

const mib = 1 << 20

func TestI1BelowThreshold(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, mib)
	origin.Put("b", "1mb", want)
	d := newDownloader(t, origin, multipart(5*mib, 8*mib))

	if err := download(t, d, "1mb", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "file"), want)
	leak.Files(t, dir, "file")
	wantRanges(t, origin, "")
}

func TestI2AboveThreshold(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	want := s3test.PatternBytes(2, 20*mib)
	origin.Put("b", "20mb", want)
	d := newDownloader(t, origin, multipart(5*mib, 8*mib))

	if err := download(t, d, "20mb", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "file"), want)
	leak.Files(t, dir, "file")
	wantRanges(t, origin, "bytes=0-8388607", "bytes=8388608-16777215", "bytes=16777216-20971519")
}

// I3: a large download, in the middle of which the context ends. Upstream's has 60
// MiB and a sleep; here the origin stalls, so that only leaving off ends it.
func TestI3LargeDownloadExitsQuickly(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.PutContent("b", "60mb", 60*mib, s3test.Pattern(3))
	origin.Inject(s3test.Fault{Method: "GET", Skip: 2, Stall: true, StallAfter: 2*mib + 1})
	d := newDownloader(t, origin, multipart(5*mib, 8*mib), unhurried)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	f := d.DownloadFile(ctx, "b", "60mb", filepath.Join(dir, "dest"))
	arrive(t, origin, 4, "GET")
	cancel()
	shutdown(t, d)
	wantError(t, result(t, f), processpool.ErrCanceled)
	leak.Files(t, dir)
}

func TestI4ManyFilesExitQuickly(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.PutContent("b", "1mb", mib, s3test.Pattern(4))
	origin.Inject(s3test.Fault{Stall: true})
	d := newDownloader(t, origin, multipart(5*mib, 8*mib), unhurried)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	var futures []*processpool.Future
	for i := range 10 {
		futures = append(futures, d.DownloadFile(ctx, "b", "1mb", filepath.Join(dir, fmt.Sprint("file", i))))
	}
	cancel()
	shutdown(t, d)
	for _, f := range futures {
		wantError(t, result(t, f), processpool.ErrCanceled)
	}
	leak.Files(t, dir)
}
