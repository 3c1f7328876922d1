package processpool_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// provider counts how often it is asked, and gives what it is told to.
type provider struct {
	asked atomic.Int32
	give  func(n int32) (aws.Credentials, error)
}

func (p *provider) Retrieve(context.Context) (aws.Credentials, error) { return p.give(p.asked.Add(1)) }

// The provider is asked once for all workers.
func TestCredentialsAreVended(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t, func(o *s3test.Options) { o.AccessKey, o.SecretKey = "AKIDONE", "secret" }), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 100))
	p := &provider{give: func(int32) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIDONE", SecretAccessKey: "secret"}, nil
	}}
	cfg := origin.Config()
	cfg.Credentials = p
	d := newDownloaderOf(t, origin, cfg, multipart(10, 10), processes(3))
	if err := download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	if n := p.asked.Load(); n != 1 {
		t.Errorf("the provider was asked %d times, want once", n)
	}
	leak.Files(t, dir, "file")
}

// Credentials that S3 refuses as expired are asked for anew, once for all workers.
func TestCredentialsExpire(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 100))
	origin.SetCredentials("AKIDONE", "secret", "token1")
	p := &provider{give: func(n int32) (aws.Credentials, error) {
		token := map[bool]string{true: "token1", false: "token2"}[n == 1]
		return aws.Credentials{AccessKeyID: "AKIDONE", SecretAccessKey: "secret", SessionToken: token}, nil
	}}
	cfg := origin.Config()
	cfg.Credentials = p
	origin.Inject(s3test.Fault{Range: "bytes=50-59", Times: 1, Do: func(s *s3test.Server, _ s3test.Request) {
		s.SetCredentials("AKIDONE", "secret", "token2")
	}})
	d := newDownloaderOf(t, origin, cfg, multipart(10, 10))
	if err := download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	if n := p.asked.Load(); n != 2 {
		t.Errorf("the provider was asked %d times, want twice", n)
	}
	leak.Files(t, dir, "file")
}

// 2e: a provider that has none is the download's error, at once.
func TestCredentialsFail(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	cfg := origin.Config()
	cfg.Credentials = &provider{give: func(int32) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no credentials today")
	}}
	d := newDownloaderOf(t, origin, cfg)
	err := download(t, d, "k", filepath.Join(dir, "file"))
	wantError(t, err)
	if !strings.Contains(err.Error(), "no credentials today") {
		t.Errorf("got %v, want the provider's error", err)
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	leak.Files(t, dir)
}
