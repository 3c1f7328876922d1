package e2e_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func wantStats(t *testing.T, d *processpool.Downloader, when string, want processpool.Stats) {
	t.Helper()
	got := d.Stats()
	want.Sandbox = got.Sandbox             // depends on the system; TestSandbox... has it
	want.RequestsLimit = got.RequestsLimit // depends on the time; TestThrottledPool has it
	if got != want {
		t.Errorf("%s:\ngot  %+v\nwant %+v", when, got, want)
	}
}

func TestStats(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	gate := make(chan struct{})
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "HEAD", Gate: gate})
	d := harness.NewDownloader(t, origin, harness.Processes(1))
	want := processpool.Stats{}
	wantStats(t, d, "before Start", want)

	d.DownloadFile(t.Context(), "", "k", filepath.Join(dir, "refused"))
	want.Failed = 1
	wantStats(t, d, "refused", want)

	var futures []*processpool.Future
	for i := range 5 {
		futures = append(futures, d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, fmt.Sprint(i))))
	}
	harness.Arrive(t, origin, 1, "HEAD")
	// The worker has the HeadObject of a second one ahead, and has not made it.
	want.Queued, want.Active, want.Workers, want.Requests.HeadObject = 3, 2, 1, 1
	wantStats(t, d, "one under way", want)

	futures[4].Cancel() // a queued one
	harness.Result(t, futures[4])
	want.Queued, want.Canceled = 2, 1
	wantStats(t, d, "one canceled", want)

	close(gate)
	for _, f := range futures[:4] {
		if err := harness.Result(t, f); err != nil {
			t.Error(err)
		}
	}
	want.Queued, want.Active, want.Done, want.BytesWritten = 0, 0, 4, 40
	want.Requests = processpool.Requests{HeadObject: 4, GetObject: 4}
	wantStats(t, d, "all done", want)

	if err := harness.Directory(t, d, "", filepath.Join(dir, "dir")).Result(); err != nil {
		t.Error(err)
	}
	harness.Download(t, d, "missing", filepath.Join(dir, "missing"))
	want.Done, want.Failed, want.BytesWritten = 5, 2, 50
	want.Requests = processpool.Requests{HeadObject: 5, GetObject: 5, ListObjectsV2: 1}
	wantStats(t, d, "a directory", want)

	harness.Shutdown(t, d)
	harness.Download(t, d, "k", filepath.Join(dir, "late"))
	want.Workers, want.Failed = 0, 3
	wantStats(t, d, "after Shutdown", want)
}

// Each retry is counted under the reason of the failure.
func statsRetries(t *testing.T) {
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 1000))
	d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Multipart(500, 500), func(c *processpool.Config) {
		c.MaxAttempts = 10
		c.StallTimeout = time.Second
	})
	for _, f := range []s3test.Fault{
		{Status: 503}, {Status: 500}, {Cut: true, CutAfter: 100}, {Cut: true, CutAfter: -1},
		{IgnoreRange: true}, {Stall: true, StallAfter: 100},
	} {
		f.Method, f.Times = "GET", 1
		origin.Inject(f)
	}
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	wantStats(t, d, "retried", processpool.Stats{
		Done: 1, BytesWritten: 1000, Workers: 1,
		Requests: processpool.Requests{HeadObject: 1, GetObject: 2 + 6},
		Retries:  processpool.Retries{Throttled: 1, Other: 1, Connection: 2, Unexpected: 1, Stalled: 1},
	})
}
