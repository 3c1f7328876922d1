package faults_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// hurry makes an outage of 30 s last for 3 s, and RetryTimeout for 6 s.
const hurry = 10

// outages are the ways in which an origin does not serve, each with what ends it.
var outages = map[string]func(*s3test.Server) (end func()){
	"refused": func(s *s3test.Server) func() {
		s.Leave()
		return s.Return
	},
	"503": func(s *s3test.Server) func() {
		s.ClearFaults()
		s.Inject(s3test.Fault{Status: 503})
		return s.ClearFaults
	},
}

func retries(d *processpool.Downloader) int64 {
	r := d.Stats().Retries
	return r.Throttled + r.Stalled + r.Connection + r.Unexpected + r.Other
}

// With the default settings, downloads outlast an outage of the origin of up to half a minute,
// whether it begins before or within them.
func TestOutage(t *testing.T) {
	leak.Check(t)
	t.Run("all", func(t *testing.T) {
		for name, begin := range outages {
			for _, outage := range []time.Duration{500 * time.Millisecond, time.Second, 5 * time.Second, 30 * time.Second} {
				for _, when := range []string{"before", "within"} {
					for _, n := range []int{1, 50} {
						t.Run(fmt.Sprintf("%s,%v,%s,downloads=%d", name, outage, when, n), func(t *testing.T) {
							t.Parallel()
							outlast(t, begin, outage, when == "within", n)
						})
					}
				}
			}
		}
	})
}

func outlast(t *testing.T, begin func(*s3test.Server) func(), outage time.Duration, within bool, n int) {
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 4000)
	origin.Put("b", "k", want)
	harness.Hurry(t, hurry)
	d := harness.NewDownloader(t, origin, harness.Multipart(1000, 1000))
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	gate := make(chan struct{})
	var held *s3test.Fault
	var end func()
	if within {
		held = origin.Inject(s3test.Fault{Method: "GET", Skip: 1, Gate: gate})
	} else {
		end = begin(origin)
	}
	var futures []*processpool.Future
	for i := range n {
		futures = append(futures, d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, fmt.Sprint(i))))
	}
	if within {
		await(t, "the second GET", func() bool { return held.Hits() > 0 })
		end = begin(origin)
		close(gate)
	}
	await(t, "a retry", func() bool { return retries(d) > 0 })
	time.Sleep(outage / hurry)
	end()
	for i, f := range futures {
		if err := harness.Result(t, f); err != nil {
			t.Errorf("download %d: %v", i, err)
			continue
		}
		harness.WantContent(t, filepath.Join(dir, fmt.Sprint(i)), want)
	}
}

func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(harness.Patience); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still waiting for %s after %v", what, harness.Patience)
		}
	}
}

// An outage that is longer than RetryTimeout ends a download, and the next one succeeds after it.
func TestOutageTooLong(t *testing.T) {
	leak.Check(t)
	for name, begin := range outages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			harness.Hurry(t, 100)
			d := harness.NewDownloader(t, origin)
			end := begin(origin)
			begun := time.Now()
			harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), processpool.ErrRetriesExceeded)
			if took := time.Since(begun); took < time.Minute/100 {
				t.Errorf("got an error after %v, want it after RetryTimeout", 100*took)
			}
			leak.Files(t, dir)
			end()
			harness.WantNext(t, origin, d)
		})
	}
}

// A caller who lowers MaxAttempts prefers an early error; a RetryTimeout of its own applies all the
// same.
func TestOutageOfFewAttempts(t *testing.T) {
	leak.Check(t)
	for _, c := range []struct {
		name    string
		aws     int // RetryMaxAttempts
		config  func(*processpool.Config)
		retries int64 // -1: as many as there are in RetryTimeout
	}{
		{"MaxAttempts=3", 0, func(c *processpool.Config) { c.MaxAttempts = 3 }, 2},
		{"RetryMaxAttempts=3", 3, func(*processpool.Config) {}, 2},
		{"MaxAttempts=5", 0, func(c *processpool.Config) { c.MaxAttempts = 5 }, -1},
		{"RetryMaxAttempts=3, MaxAttempts=6", 3, func(c *processpool.Config) { c.MaxAttempts = 6 }, -1},
		{"MaxAttempts=3, RetryTimeout=61s", 0, func(c *processpool.Config) { c.MaxAttempts, c.RetryTimeout = 3, 61*time.Second }, -1},
		{"RetryTimeout=0", 0, func(c *processpool.Config) { c.RetryTimeout = 0 }, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			origin.Inject(s3test.Fault{Status: 502})
			harness.Hurry(t, 100)
			cfg := origin.Config()
			cfg.RetryMaxAttempts = c.aws
			d := harness.NewDownloaderOf(t, origin, cfg, c.config)
			begun := time.Now()
			harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), processpool.ErrRetriesExceeded)
			n, took := retries(d), time.Since(begun)
			if c.retries >= 0 && n != c.retries {
				t.Errorf("got %d retries, want %d", n, c.retries)
			}
			if c.retries < 0 && took < time.Minute/100 {
				t.Errorf("got an error after %d retries and %v, want it after RetryTimeout", n, 100*took)
			}
		})
	}
}

// An error that cannot heal ends a download at its first attempt, before and within it.
func TestNoRetry(t *testing.T) {
	leak.Check(t)
	for _, c := range []struct {
		name  string
		fault s3test.Fault
	}{
		{"404", s3test.Fault{Status: 404}},
		{"404, a gateway's", s3test.Fault{Status: 404, Code: "page"}},
		{"403", s3test.Fault{Status: 403, Code: "InvalidAccessKeyId"}},
		{"400", s3test.Fault{Status: 400}},
		{"501", s3test.Fault{Status: 501}},
		{"412", s3test.Fault{Method: "GET", Status: 412}},
	} {
		for _, within := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,within=%v", c.name, within), func(t *testing.T) {
				origin, dir := harness.StartOrigin(t), t.TempDir()
				origin.Put("b", "k", harness.Content)
				if within {
					c.fault.Range = "bytes=4-5"
				}
				origin.Inject(c.fault)
				d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Multipart(2, 2))
				err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
				harness.WantError(t, err)
				if n := retries(d); n != 0 || errors.Is(err, processpool.ErrRetriesExceeded) {
					t.Errorf("got %v after %d retries, want it at once", err, n)
				}
				leak.Files(t, dir)
			})
		}
	}
	t.Run("no TLS", func(t *testing.T) {
		origin, dir := harness.StartOrigin(t), t.TempDir()
		cfg := origin.Config()
		cfg.BaseEndpoint = aws.String("https" + origin.URL()[len("http"):])
		d := harness.NewDownloaderOf(t, origin, cfg)
		harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")))
		if n := retries(d); n != 0 {
			t.Errorf("got %d retries, want none", n)
		}
	})
}

// A DownloadDirectory outlasts an outage, too: pages of the listing as well as objects.
func TestOutageOfADirectory(t *testing.T) {
	leak.Check(t)
	for name, begin := range outages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin, dir := harness.StartOrigin(t, harness.Pages(10)), t.TempDir()
			var want []string
			for i := range 60 {
				key := fmt.Sprintf("%02d", i)
				want = append(want, key)
				origin.Put("b", key, harness.Content)
			}
			harness.Hurry(t, hurry)
			d := harness.NewDownloader(t, origin)
			gate := make(chan struct{})
			held := origin.Inject(s3test.Fault{Match: harness.IsList, Skip: 2, Gate: gate})
			all := d.DownloadDirectory(t.Context(), "b", "", dir)
			await(t, "the third page", func() bool { return held.Hits() > 0 })
			end := begin(origin)
			close(gate)
			await(t, "a retry", func() bool { return retries(d) > 0 })
			time.Sleep(5 * time.Second / hurry)
			end()
			harness.Wait(t, all.Done(), "the end of the directory")
			if err := all.Result(); err != nil {
				t.Error(err)
			}
			harness.WantTree(t, dir, want...)
		})
	}
}
