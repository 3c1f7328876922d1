package faults_test

import (
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Credentials that have expired when HeadObject is sent are renewed, although the answer is a 400
// without a reason. If that does not help, the 400 is the error, without further attempts.
func TestFaultExpiredAtHead(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.SetCredentials("AKIDONE", "secret", "token1")
	origin.SetCredentials("AKIDONE", "secret", "token2")
	p := &harness.Provider{Give: func(n int32) (aws.Credentials, error) {
		token := map[bool]string{true: "token1", false: "token2"}[n == 1]
		return aws.Credentials{AccessKeyID: "AKIDONE", SecretAccessKey: "secret", SessionToken: token}, nil
	}}
	cfg := origin.Config()
	cfg.Credentials = p
	d := harness.NewDownloaderOf(t, origin, cfg, harness.Processes(1))
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Error(err)
	}
	if n := p.Calls(); n != 2 {
		t.Errorf("the provider was asked %d times, want twice", n)
	}

	origin.ResetRequests()
	origin.Inject(s3test.Fault{Key: "k", Status: 400})
	err := harness.Download(t, d, "k", filepath.Join(dir, "refused"))
	harness.WantError(t, err)
	if n := len(origin.Requests()); !isStatus(400)(err) || n != 3 {
		t.Errorf("got %v after %d requests, want the 400 after 2, and one for the reason", err, n)
	}
	leak.Files(t, dir, "file")
	harness.WantNext(t, origin, d)
}
