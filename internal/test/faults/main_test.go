package faults_test

import (
	"errors"
	"flag"
	"path/filepath"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func TestMain(m *testing.M) {
	flag.Set("test.parallel", "8") // the parallel tests wait more than they compute
	harness.Main(m)
}

// wantNext fails the test unless the next download of the same Downloader succeeds.
func wantNext(t *testing.T, origin *s3test.Server, d *processpool.Downloader) {
	t.Helper()
	origin.ClearFaults()
	origin.Put("b", "next", harness.Content)
	name := filepath.Join(t.TempDir(), "next")
	if err := harness.Download(t, d, "next", name); err != nil {
		t.Errorf("the next download: %v", err)
		return
	}
	harness.WantContent(t, name, harness.Content)
}

// isStatus returns a function that reports whether an error is an answer of S3 with this status.
func isStatus(code int) func(error) bool {
	return func(err error) bool {
		var response *awshttp.ResponseError
		return errors.As(err, &response) && response.HTTPStatusCode() == code
	}
}

func isError(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}
