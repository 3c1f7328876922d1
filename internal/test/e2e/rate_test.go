package e2e_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// The tests of what takes its time run side by side.
func TestRates(t *testing.T) {
	leak.Check(t)
	t.Run("all", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T){
			"MaxBytesPerSecond": maxBytesPerSecond, "SetMaxBytesPerSecond": setMaxBytesPerSecond,
			"Adaptive": adaptive, "StatsRetries": statsRetries,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
}

func limited(n int64) func(*processpool.Config) {
	return func(c *processpool.Config) { c.MaxBytesPerSecond = n }
}

// The pool reads no faster than the limit, but for a second's worth. A busy machine is only slower.
func maxBytesPerSecond(t *testing.T) {
	const limit = 2 * harness.MiB
	origin, dir := harness.StartOrigin(t), t.TempDir()
	object := s3test.PatternBytes(1, 6*harness.MiB)
	origin.Put("b", "k", object)
	d := harness.NewDownloader(t, origin, harness.Processes(3), harness.Multipart(harness.MiB, harness.MiB), limited(limit))
	begun := time.Now()
	err := harness.Download(t, d, "k", filepath.Join(dir, "f"), func(o *processpool.DownloadOptions) {
		o.OnProgress = func(p processpool.Progress) {
			if most := limit * (time.Since(begun).Seconds() + 1); float64(p.BytesDone) > most {
				t.Errorf("%d bytes after %v, want %.0f at most", p.BytesDone, time.Since(begun), most)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if took, least := time.Since(begun), 2*time.Second; took < least {
		t.Errorf("%d bytes took %v, want %v at least", len(object), took, least)
	}
	harness.WantContent(t, filepath.Join(dir, "f"), object)
	if got := d.Stats().Retries; got != (processpool.Retries{}) {
		t.Errorf("Retries: got %+v, want none", got)
	}
}

// A limit under which a download would take hours neither stalls its connections nor makes them slow,
// and it ends soon when the limit is lifted.
func setMaxBytesPerSecond(t *testing.T) {
	origin, dir := harness.StartOrigin(t), t.TempDir()
	object := s3test.PatternBytes(1, 16*harness.MiB)
	origin.Put("b", "k", object)
	d := harness.NewDownloader(t, origin, harness.Processes(2), harness.Multipart(8*harness.MiB, 8*harness.MiB), limited(1),
		func(c *processpool.Config) { c.StallTimeout = 100 * time.Millisecond; c.MaxAttempts = 1000 })
	d.SetMaxBytesPerSecond(40 << 10) // before Start
	begun := time.Now()
	some := make(chan struct{})
	tell := sync.OnceFunc(func() { close(some) })
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "f"), func(o *processpool.DownloadOptions) {
		o.OnProgress = func(p processpool.Progress) {
			if p.BytesDone >= 40<<10 {
				tell()
			}
		}
	})
	harness.Wait(t, some, "40 KiB")
	d.SetMaxBytesPerSecond(1 << 10)
	done := f.Progress().BytesDone
	if took := time.Since(begun); done > int64(40<<10*(took.Seconds()+1)) {
		t.Errorf("%d bytes in %v", done, took)
	}
	d.SetMaxBytesPerSecond(0)
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "f"), object)
	if got := d.Stats().Retries; got.Slow > 0 {
		t.Errorf("Retries: got %+v, want no slow range", got)
	}
	harness.Shutdown(t, d)
	d.SetMaxBytesPerSecond(1) // has no effect
}

func TestMaxBytesPerSecondNegative(t *testing.T) {
	origin := harness.StartOrigin(t)
	_, err := processpool.NewDownloader(origin.Config(), limited(-1))
	if err == nil || !strings.Contains(err.Error(), "MaxBytesPerSecond is -1") {
		t.Errorf("got %v, want an error that names MaxBytesPerSecond", err)
	}
}

// Adaptive changes how many requests are made at a time, and nothing else.
func adaptive(t *testing.T) {
	origin, dir := harness.StartOrigin(t), t.TempDir()
	object := s3test.PatternBytes(1, 24*harness.MiB)
	origin.Put("b", "k", object)
	const limit = 8 * harness.MiB // for some measurements
	d := harness.NewDownloader(t, origin, harness.Processes(4), harness.Multipart(harness.MiB, harness.MiB), limited(limit),
		func(c *processpool.Config) { c.Adaptive = true })
	most := int64(0)
	err := harness.Download(t, d, "k", filepath.Join(dir, "f"), func(o *processpool.DownloadOptions) {
		o.OnProgress = func(processpool.Progress) { most = max(most, d.Stats().RequestsLimit) }
	})
	if err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "f"), object)
	if most > 3 {
		t.Errorf("RequestsLimit: got %d at most, want 0, or fewer than the 4 slots", most)
	}
}
