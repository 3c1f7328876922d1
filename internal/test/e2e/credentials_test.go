package e2e_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// The provider is called once for all workers.
func TestCredentialsAreVended(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t, func(o *s3test.Options) { o.AccessKey, o.SecretKey = "AKIDONE", "secret" }), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 100))
	p := &harness.Provider{Give: func(int32) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIDONE", SecretAccessKey: "secret"}, nil
	}}
	cfg := origin.Config()
	cfg.Credentials = p
	d := harness.NewDownloaderOf(t, origin, cfg, harness.Multipart(10, 10), harness.Processes(3))
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	if n := p.Calls(); n != 1 {
		t.Errorf("the provider was asked %d times, want once", n)
	}
	leak.Files(t, dir, "file")
}

// Credentials that S3 refuses as expired are renewed once for all workers.
func TestCredentialsExpire(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 100))
	origin.SetCredentials("AKIDONE", "secret", "token1")
	p := &harness.Provider{Give: func(n int32) (aws.Credentials, error) {
		token := map[bool]string{true: "token1", false: "token2"}[n == 1]
		return aws.Credentials{AccessKeyID: "AKIDONE", SecretAccessKey: "secret", SessionToken: token}, nil
	}}
	cfg := origin.Config()
	cfg.Credentials = p
	origin.Inject(s3test.Fault{Range: "bytes=50-59", Times: 1, Do: func(s *s3test.Server, _ s3test.Request) {
		s.SetCredentials("AKIDONE", "secret", "token2")
	}})
	d := harness.NewDownloaderOf(t, origin, cfg, harness.Multipart(10, 10))
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	if n := p.Calls(); n != 2 {
		t.Errorf("the provider was asked %d times, want twice", n)
	}
	leak.Files(t, dir, "file")
}

// An error of the provider is the error of the download, without a retry.
func TestCredentialsFail(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	cfg := origin.Config()
	cfg.Credentials = &harness.Provider{Give: func(int32) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no credentials today")
	}}
	d := harness.NewDownloaderOf(t, origin, cfg)
	err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
	harness.WantError(t, err)
	if !strings.Contains(err.Error(), "no credentials today") {
		t.Errorf("got %v, want the provider's error", err)
	}
	if n := strings.Count(err.Error(), "failed to refresh cached credentials"); n > 1 {
		t.Errorf("%v says one thing %d times", err, n)
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	leak.Files(t, dir)
}
