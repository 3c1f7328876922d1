package processpool_test

import (
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Credentials that have expired when HeadObject is asked are renewed, too, though its
// answer is a 400 that does not say why. Where that does not help it is the error, at
// once.
func TestFaultExpiredAtHead(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	origin.SetCredentials("AKIDONE", "secret", "token1")
	origin.SetCredentials("AKIDONE", "secret", "token2")
	p := &provider{give: func(n int32) (aws.Credentials, error) {
		token := map[bool]string{true: "token1", false: "token2"}[n == 1]
		return aws.Credentials{AccessKeyID: "AKIDONE", SecretAccessKey: "secret", SessionToken: token}, nil
	}}
	cfg := origin.Config()
	cfg.Credentials = p
	d := newDownloaderOf(t, origin, cfg, processes(1))
	if err := download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Error(err)
	}
	if n := p.asked.Load(); n != 2 {
		t.Errorf("the provider was asked %d times, want twice", n)
	}

	origin.ResetRequests()
	origin.Inject(s3test.Fault{Method: "HEAD", Status: 400})
	err := download(t, d, "k", filepath.Join(dir, "refused"))
	wantError(t, err)
	if n := len(origin.Requests()); !isStatus(400)(err) || n != 2 {
		t.Errorf("got %v after %d requests, want the 400 after 2", err, n)
	}
	leak.Files(t, dir, "file")
	wantNext(t, origin, d)
}
