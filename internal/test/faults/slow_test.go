package faults_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// newSlowDownloader returns a Downloader with four workers, ranges of 4 MiB and no stall timeout.
func newSlowDownloader(t *testing.T, origin *s3test.Server) *processpool.Downloader {
	t.Helper()
	harness.SlowAfter(t, 500*time.Millisecond)
	return harness.NewDownloader(t, origin, harness.Processes(4), harness.Multipart(4*harness.MiB, 4*harness.MiB), func(c *processpool.Config) { c.StallTimeout = time.Hour })
}

const lastOf16MiB = "bytes=12582912-16777215"

// fetchedAgain returns the offsets of the ranges that were asked for a second time in the last 4 of
// 16 MiB.
func fetchedAgain(origin *s3test.Server) (firsts []int64) {
	for _, r := range origin.Requests() {
		var first int64
		if n, _ := fmt.Sscanf(r.Range, "bytes=%d-", &first); n == 1 && first >= 12*harness.MiB {
			firsts = append(firsts, first)
		}
	}
	return firsts[1:]
}

// wantSlow fails the test unless all retries were of slow ranges. A busy machine may find more of
// them than the test has made.
func wantSlow(t *testing.T, d *processpool.Downloader) {
	t.Helper()
	got := d.Stats().Retries
	if got.Slow < 1 || got != (processpool.Retries{Slow: got.Slow}) {
		t.Errorf("Retries: got %+v, want none but for slow ranges", got)
	}
}

// A connection that becomes slow at the end of a download would delay it without limit. Its range
// is taken back, and divided among the workers.
func TestSlowRange(t *testing.T) {
	leak.Check(t)
	object := s3test.PatternBytes(1, 16*harness.MiB)
	for name, fault := range map[string]s3test.Fault{
		"silent":             {Stall: true},
		"16 bytes a second":  {Trickle: time.Second, TrickleBytes: 16},
		"no answer":          {Gate: make(chan struct{})},
		"silent at its end":  {Stall: true, StallAfter: 4*harness.MiB - 1},
		"silent in the body": {Stall: true, StallAfter: harness.MiB + 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", object)
			fault.Range, fault.Times = lastOf16MiB, 1
			origin.Inject(fault)
			d := newSlowDownloader(t, origin)
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), object)
			leak.Files(t, dir, "file")
			if got, want := f.Object().Verified, "CRC64NVME full object"; got != want {
				t.Errorf("Verified: got %q, want %q", got, want)
			}
			wantSlow(t, d)
			if again := fetchedAgain(origin); fault.StallAfter == 0 && len(again) < 2 {
				t.Errorf("%d requests for what was missing, want it shared among the workers", len(again))
			}
		})
	}
}

// Bytes that a slow connection has delivered, and its worker has reported, are not fetched again.
func TestSlowRangeKeepsWhatItHas(t *testing.T) {
	leak.Check(t)
	object := s3test.PatternBytes(1, 16*harness.MiB)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", object)
	told := make(chan struct{})
	// The delay makes the worker report its first MiB at once.
	origin.Inject(s3test.Fault{Range: lastOf16MiB, Times: 1, Delay: 200 * time.Millisecond, Stall: true, StallAfter: harness.MiB + 1})
	origin.Inject(s3test.Fault{Method: "GET", Times: 3, Gate: told})
	d := newSlowDownloader(t, origin)
	tell := sync.OnceFunc(func() { close(told) })
	err := harness.Download(t, d, "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.OnProgress = func(p processpool.Progress) {
			if p.BytesDone >= harness.MiB {
				tell()
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), object)
	wantSlow(t, d)
	again := fetchedAgain(origin)
	for _, first := range again {
		if first < 13*harness.MiB {
			t.Errorf("the range from byte %d on was asked for again, of which the first MiB was there", first)
		}
	}
	if len(again) == 0 {
		t.Error("nothing was asked for again")
	}
}

// A slow part whose checksum cannot be resumed is fetched again as a whole.
func TestSlowPart(t *testing.T) {
	leak.Check(t)
	object := s3test.PatternBytes(1, 16*harness.MiB)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", object, s3test.WithParts(4*harness.MiB, 4*harness.MiB, 4*harness.MiB, 4*harness.MiB), s3test.WithChecksum("sha256", "COMPOSITE"))
	origin.Inject(s3test.Fault{Range: lastOf16MiB, Times: 1, Stall: true, StallAfter: 2*harness.MiB + 1})
	d := newSlowDownloader(t, origin)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), object)
	if got, want := f.Object().Verified, "SHA256 composite of 4 parts"; got != want {
		t.Errorf("Verified: got %q, want %q", got, want)
	}
	wantSlow(t, d)
	for _, first := range fetchedAgain(origin) {
		if first != 12*harness.MiB {
			t.Errorf("asked for bytes from %d on, want the whole part", first)
		}
	}
}
