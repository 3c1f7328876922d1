package processpool_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// U12, U13, U14, U15, U16: every request is what an S3 client of the caller's own
// settings would send, and bears this library's mark in its user agent.
func TestSettingsCross(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*aws.Config)
		client func(*s3.Options)
		check  func(s3test.Request) (got, want string)
	}{
		{"U12, U14 user agent", nil, nil, func(r s3test.Request) (string, string) { return r.UserAgent, "processpool/0.1.0" }},
		{"U15 user agent with an app id", func(c *aws.Config) { c.AppID = "my-app" }, nil,
			func(r s3test.Request) (string, string) { return r.UserAgent, "processpool/0.1.0 app/my-app" }},
		{"U16 app id of the client", nil, func(o *s3.Options) { o.AppID = "client-app" },
			func(r s3test.Request) (string, string) { return r.UserAgent, "app/client-app" }},
		{"U13 region", func(c *aws.Config) { c.Region = "eu-central-1" }, nil,
			func(r s3test.Request) (string, string) {
				return r.Header.Get("Authorization"), "/eu-central-1/s3/aws4_request"
			}},
		{"U13 region of the client", nil, func(o *s3.Options) { o.Region = "ap-south-1" },
			func(r s3test.Request) (string, string) { return r.Header.Get("Authorization"), "/ap-south-1/s3/" }},
		{"credentials", nil, nil,
			func(r s3test.Request) (string, string) {
				return r.Header.Get("Authorization"), "Credential=AKIDEXAMPLE/"
			}},
		{"path style", nil, nil, func(r s3test.Request) (string, string) { return r.Bucket + "/" + r.Key, "b/k" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			origin.Put("b", "k", content)
			cfg := origin.Config()
			if c.change != nil {
				c.change(&cfg)
			}
			d := newDownloaderOf(t, origin, cfg, func(config *processpool.Config) {
				if c.client != nil {
					config.ClientOptions = append(config.ClientOptions, c.client)
				}
			})
			if err := download(t, d, "k", filepath.Join(dir, "file")); err != nil {
				t.Fatal(err)
			}
			for _, r := range origin.Requests() {
				if got, want := c.check(r); !containsWords(got, want) {
					t.Errorf("%s: got %q, want %q in it", r.Method, got, want)
				}
			}
			leak.Files(t, dir, "file")
		})
	}
}

// containsWords tells whether all words of want are in s, in any order.
func containsWords(s, want string) bool {
	for word := range strings.FieldsSeq(want) {
		if !strings.Contains(s, word) {
			return false
		}
	}
	return true
}

// The values of the SDK's own HTTP client cross, too.
func TestSettingsOfTheHTTPClientCross(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t, func(o *s3test.Options) { o.TLS = true }), t.TempDir()
	origin.Put("b", "k", content)
	cfg := origin.Config()
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.TLSClientConfig.InsecureSkipVerify = true
	})
	d := newDownloaderOf(t, origin, cfg)
	if err := download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Error(err)
	}
	leak.Files(t, dir, "file")
}

// The certificates of CABundle, or else of AWS_CA_BUNDLE, are those that count. An
// origin they do not know gets no request, and one attempt.
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
			origin, dir := startOrigin(t, func(o *s3test.Options) { o.TLS = true }), t.TempDir()
			origin.Put("b", "k", content)
			if c.env {
				if err := os.WriteFile(pem, origin.CAPEM(), 0o666); err != nil {
					t.Fatal(err)
				}
				t.Setenv("AWS_CA_BUNDLE", pem)
			}
			d := newDownloader(t, origin, func(config *processpool.Config) {
				if c.bundle {
					config.CABundle = origin.CAPEM()
				}
			})
			err := download(t, d, "k", filepath.Join(dir, "file"))
			if c.good {
				if err != nil {
					t.Error(err)
				}
				leak.Files(t, dir, "file")
				return
			}
			wantError(t, err)
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
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	cfg := origin.Config()
	cfg.Credentials = aws.AnonymousCredentials{}
	d := newDownloaderOf(t, origin, cfg)
	if err := download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	for _, r := range origin.Requests() {
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("%s: got Authorization %q, want none", r.Method, got)
		}
	}
	leak.Files(t, dir, "file")
}
