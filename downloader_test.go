package processpool_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func TestMain(m *testing.M) { harness.Main(m) }

// The option functions see the defaults, and the values they leave apply.
func TestConfigDefaults(t *testing.T) {
	leak.Check(t)
	var got processpool.Config
	_, err := processpool.NewDownloader(aws.Config{Region: "us-east-1"}, func(c *processpool.Config) { got = *c })
	if err != nil {
		t.Fatal(err)
	}
	if got.MultipartThreshold != 8<<20 || got.MultipartChunksize != 8<<20 || got.MaxRequestProcesses != 10 ||
		got.RequestsPerProcess != 1 || got.MaxAttempts != 5 ||
		got.RetryTimeout != time.Minute || got.StallTimeout != 20*time.Second ||
		got.Verify != processpool.VerifyAuto || got.ClientOptions != nil || got.CABundle != nil || got.WorkerCommand != nil {
		t.Errorf("got defaults %+v, want those of the documentation", got)
	}
	cfg := aws.Config{Region: "us-east-1", RetryMaxAttempts: 7}
	cfg.HTTPClient = awshttp.NewBuildableClient().WithReadTimeout(42 * time.Second)
	if _, err := processpool.NewDownloader(cfg, func(c *processpool.Config) { got = *c }); err != nil {
		t.Fatal(err)
	}
	if got.MaxAttempts != 7 || got.StallTimeout != 42*time.Second {
		t.Errorf("got MaxAttempts %d, StallTimeout %v, want those of the aws.Config: 7, 42s", got.MaxAttempts, got.StallTimeout)
	}
}

func TestVerifyModeString(t *testing.T) {
	for mode, want := range map[processpool.VerifyMode]string{
		processpool.VerifyAuto: "auto", processpool.VerifyRequired: "required", processpool.VerifyOff: "off", 9: "VerifyMode(9)",
	} {
		if got := mode.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDownloadFile(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	want := s3test.PatternBytes(1, 20<<20+1)
	origin.Put("b", "k", want)
	dir := t.TempDir()
	d := harness.NewDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), want)
	leak.Files(t, dir, "file")
	got := f.Object()
	if got.Size != int64(len(want)) || got.ETag == "" || got.LastModified.IsZero() || got.Verified == "" {
		t.Errorf("got object %+v, want its size, ETag, time and proof", got)
	}
}

func TestShutdownWithoutStart(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	d := harness.NewDownloader(t, origin)

	harness.Shutdown(t, d)
	if err := d.Start(); !errors.Is(err, processpool.ErrShutdown) {
		t.Errorf("Start: got %v, want ErrShutdown", err)
	}
	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), processpool.ErrShutdown)
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	leak.Files(t, dir)
}

// Concurrent calls of Start start one pool, and return the same result.
func TestStartByMany(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	started := make(chan error)
	for range 8 {
		go func() { started <- d.Start() }()
	}
	for range 8 {
		if err := harness.Wait(t, started, "Start"); err != nil {
			t.Error(err)
		}
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests before the first download, want none", n)
	}
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Error(err)
	}
	leak.Files(t, dir, "file")
}
