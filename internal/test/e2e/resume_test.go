package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func TestResume(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 8*harness.MiB+1)
	origin.Put("b", "k", want)
	name := filepath.Join(dir, "file")
	d := harness.Single(t, origin, harness.MiB)
	harness.Interrupt(t, origin, d, name, 3*harness.MiB)
	leak.Files(t, dir, ".file.part", ".file.part.journal")

	o := harness.Resumed(t, d, name, want)
	harness.WantResumed(t, o, 3*harness.MiB)
	if o.Verified != "CRC64NVME full object" {
		t.Errorf("Verified: got %q, want the proof of all bytes, kept and new", o.Verified)
	}
	harness.WantRanges(t, origin, "bytes=3145728-4194303", "bytes=4194304-5242879", "bytes=5242880-6291455",
		"bytes=6291456-7340031", "bytes=7340032-8388607", "bytes=8388608-8388608")
	harness.WantResumed(t, harness.Resumed(t, d, name, want), 0) // nothing is left to resume
}

// A download resumes with another size of ranges and another number of workers, also in the middle
// of a range.
func TestResumeInAnotherWay(t *testing.T) {
	for _, c := range []struct{ chunk, workers int64 }{{harness.MiB / 2, 1}, {harness.MiB + 1, 3}, {64 * harness.MiB, 2}, {100_000, 5}} {
		t.Run(fmt.Sprintf("chunk=%d,workers=%d", c.chunk, c.workers), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			want := s3test.PatternBytes(1, 5*harness.MiB+17)
			origin.Put("b", "k", want)
			harness.Interrupt(t, origin, harness.Single(t, origin, harness.MiB), filepath.Join(dir, "file"), 2*harness.MiB)
			d := harness.NewDownloader(t, origin, harness.Multipart(1, c.chunk), harness.Processes(int(c.workers)))
			harness.WantResumed(t, harness.Resumed(t, d, filepath.Join(dir, "file"), want), 2*harness.MiB)
			if got, want := harness.Fetched(origin), int64(3*harness.MiB+17); got != want {
				t.Errorf("asked for %d bytes, want %d", got, want)
			}
		})
	}
}

// A canceled download keeps what a worker had reported of its range, also if the object is one GET
// without a Range.
func TestResumeInMidRange(t *testing.T) {
	for _, threshold := range []int64{1, 64 * harness.MiB} {
		t.Run(fmt.Sprintf("threshold=%d", threshold), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			want := s3test.PatternBytes(1, 3*harness.MiB)
			origin.Put("b", "k", want)
			// The delay exceeds the interval at which a worker reports progress.
			origin.Inject(s3test.Fault{Method: "GET", Times: 1, Delay: 400 * time.Millisecond, Stall: true, StallAfter: harness.MiB + 1})
			d := harness.NewDownloader(t, origin, harness.Multipart(threshold, 3*harness.MiB), harness.Processes(1), harness.Unhurried)
			steps := make(chan processpool.Progress, 16)
			name := filepath.Join(dir, "file")
			f := d.DownloadFile(t.Context(), "b", "k", name, harness.Resume, func(o *processpool.DownloadOptions) {
				o.OnProgress = func(p processpool.Progress) { steps <- p }
			})
			for harness.Wait(t, steps, "the first MiB").BytesDone < harness.MiB {
			}
			f.Cancel()
			harness.WantError(t, harness.Result(t, f), processpool.ErrCanceled)
			origin.ResetRequests()
			harness.WantResumed(t, harness.Resumed(t, d, name, want), harness.MiB)
			harness.WantRanges(t, origin, "bytes=1048576-3145727")
		})
	}
}

// Only one download at a time may use a partial file, in this process as in another. The next one
// may use it as soon as the first has ended.
func TestResumeIsBusy(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate})
	d := harness.NewDownloader(t, origin)
	name := filepath.Join(dir, "file")
	first := d.DownloadFile(t.Context(), "b", "k", name, harness.Resume)
	harness.Arrive(t, origin, 1, "GET")
	harness.WantError(t, harness.Download(t, d, "k", name, harness.Resume), processpool.ErrBusy)
	close(gate)
	if err := harness.Result(t, first); err != nil {
		t.Fatal(err)
	}
	for range 50 { // also while workers start, which have copies of all descriptors for a moment
		f := d.DownloadFile(t.Context(), "b", "k", name, harness.Resume)
		f.Cancel()
		if err := harness.Result(t, f); !errors.Is(err, processpool.ErrCanceled) && err != nil {
			t.Fatal(err)
		}
	}
	harness.Resumed(t, d, name, harness.Content)
}

// With Resume, HeadObject is sent although ExpectedSize is given, and the two sizes are compared.
func TestResumeExpectedSize(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	for _, off := range []int64{-1, 0, 1} {
		size := int64(len(harness.Content)) + off
		err := harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.Resume, func(o *processpool.DownloadOptions) { o.ExpectedSize = &size })
		if off == 0 {
			if err != nil {
				t.Error(err)
			}
			leak.Files(t, dir, "file")
			continue
		}
		harness.WantError(t, err, processpool.ErrSizeMismatch)
	}
	if n := len(harness.Requests(origin, "HEAD")); n != 3 {
		t.Errorf("got %d HeadObjects, want 3", n)
	}
}

func TestResumeOfAnEmptyObject(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", nil)
	harness.WantResumed(t, harness.Resumed(t, harness.NewDownloader(t, origin), filepath.Join(dir, "file"), nil), 0)
}

// The library owns the names of the partial file and the journal. If one of them is not a file, the
// download is refused and the entry remains.
func TestResumeNamesAreTaken(t *testing.T) {
	for _, suffix := range []string{".part", ".part.journal"} {
		t.Run(suffix, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			if err := os.Mkdir(filepath.Join(dir, ".file"+suffix), 0o755); err != nil {
				t.Fatal(err)
			}
			d := harness.NewDownloader(t, origin)
			harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.Resume))
			leak.Files(t, dir, ".file"+suffix)
		})
	}
}

// A download without Resume does not touch the partial file and the journal.
func TestWithoutResume(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 400_000)
	origin.Put("b", "k", want)
	name := filepath.Join(dir, "file")
	d := harness.Single(t, origin, 100_000)
	harness.Interrupt(t, origin, d, name, 300_000)
	if err := harness.Download(t, d, "k", name); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, name, want)
	leak.Files(t, dir, ".file.part", ".file.part.journal", "file")
	harness.WantResumed(t, harness.Resumed(t, d, name, want), 300_000)
}

// Cancel takes effect in each stage, and the next download resumes.
func TestResumeCanceledAnywhere(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	want := s3test.PatternBytes(1, 400_000)
	origin.Put("b", "k", want)
	d := harness.NewDownloader(t, origin, harness.Multipart(1, 50_000))
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	for n := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		f := d.DownloadFile(ctx, "b", "k", name, harness.Resume, func(o *processpool.DownloadOptions) {
			o.OnProgress = func(p processpool.Progress) {
				if p.BytesDone >= int64(n)*10_000 {
					cancel()
				}
			}
		})
		err := harness.Result(t, f)
		cancel()
		if err != nil {
			harness.WantError(t, err, processpool.ErrCanceled)
			continue
		}
		harness.WantContent(t, name, want)
		leak.Files(t, dir, "file")
	}
	harness.Resumed(t, d, name, want)
}
