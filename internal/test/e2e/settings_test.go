package e2e_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// The settings of the SDK's own HTTP client apply to the workers.
func TestSettingsOfTheHTTPClientCross(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t, func(o *s3test.Options) { o.TLS = true }), t.TempDir()
	origin.Put("b", "k", harness.Content)
	cfg := origin.Config()
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.TLSClientConfig.InsecureSkipVerify = true
	})
	d := harness.NewDownloaderOf(t, origin, cfg)
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Error(err)
	}
	leak.Files(t, dir, "file")
}

// Only the certificates of CABundle, or else of AWS_CA_BUNDLE, are trusted. An origin with another
// certificate receives no request, and there is one attempt.
func TestSettingsCABundle(t *testing.T) {
	pem := filepath.Join(t.TempDir(), "ca.pem")
	for _, c := range []struct {
		name   string
		bundle bool
		env    bool
		good   bool
	}{{"CABundle", true, false, true}, {"AWS_CA_BUNDLE", false, true, true}, {"none", false, false, false}} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t, func(o *s3test.Options) { o.TLS = true }), t.TempDir()
			origin.Put("b", "k", harness.Content)
			if c.env {
				if err := os.WriteFile(pem, origin.CAPEM(), 0o666); err != nil {
					t.Fatal(err)
				}
				t.Setenv("AWS_CA_BUNDLE", pem)
			}
			d := harness.NewDownloader(t, origin, func(config *processpool.Config) {
				if c.bundle {
					config.CABundle = origin.CAPEM()
				}
			})
			err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
			if c.good {
				if err != nil {
					t.Error(err)
				}
				leak.Files(t, dir, "file")
				return
			}
			harness.WantError(t, err)
			if errors.Is(err, processpool.ErrRetriesExceeded) || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("got %v, want the certificate refused at once", err)
			}
			leak.Files(t, dir)
		})
	}
}

// Anonymous requests are not signed.
func TestSettingsAnonymous(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	cfg := origin.Config()
	cfg.Credentials = aws.AnonymousCredentials{}
	d := harness.NewDownloaderOf(t, origin, cfg)
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	for _, r := range origin.Requests() {
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("%s: got Authorization %q, want none", r.Method, got)
		}
	}
	leak.Files(t, dir, "file")
}
