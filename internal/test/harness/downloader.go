package harness

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// StartOrigin starts an S3 origin that is closed when the test ends. It skips the test where the
// platform has no worker processes.
func StartOrigin(t *testing.T, optFns ...func(*s3test.Options)) *s3test.Server {
	t.Helper()
	if !ipc.Available {
		t.Skip("no worker processes on this platform")
	}
	origin := s3test.Start(optFns...)
	t.Cleanup(origin.Close)
	return origin
}

// NewDownloader returns a Downloader with two workers for the origin. It is shut down when the test
// ends.
func NewDownloader(t *testing.T, origin *s3test.Server,
	optFns ...func(*processpool.Config)) *processpool.Downloader {
	t.Helper()
	return NewDownloaderOf(t, origin, origin.Config(), optFns...)
}

// NewDownloaderOf is NewDownloader with an aws.Config of the test's own.
func NewDownloaderOf(t *testing.T, origin *s3test.Server, cfg aws.Config,
	optFns ...func(*processpool.Config)) *processpool.Downloader {
	t.Helper()
	few := func(c *processpool.Config) {
		c.MaxRequestProcesses = 2
		c.ClientOptions = append(c.ClientOptions, origin.ClientOptions())
	}
	d, err := processpool.NewDownloader(Environ(t, cfg), append([]func(*processpool.Config){few}, optFns...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			origin.Close() // or a request that hangs would hold up Shutdown
		}
		Shutdown(t, d)
	})
	return d
}

// NewProgramDownloader returns a Downloader with two workers for the origin at url, for a program
// that a test runs. The program must call Shutdown.
func NewProgramDownloader(url string, optFns ...func(*processpool.Config)) (*processpool.Downloader, error) {
	cfg := aws.Config{Region: s3test.Region, BaseEndpoint: &url}
	few := func(c *processpool.Config) {
		c.MaxRequestProcesses = 2
		c.ClientOptions = []func(*s3.Options){func(o *s3.Options) { o.UsePathStyle = true }}
	}
	return processpool.NewDownloader(cfg, append([]func(*processpool.Config){few}, optFns...)...)
}

// Shutdown calls d.Shutdown, fails the test if that returns an error, and ends the test if it
// hangs.
func Shutdown(t *testing.T, d *processpool.Downloader) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := d.Shutdown(); err != nil {
			t.Errorf("Shutdown: got %v, want nil", err)
		}
	}()
	Wait(t, ended, "the end of Shutdown")
}
