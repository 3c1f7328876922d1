package faults_test

import (
	"errors"
	"flag"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/s3processpool/processpool/internal/test/harness"
)

func TestMain(m *testing.M) {
	flag.Set("test.parallel", "16") // the parallel tests wait more than they compute
	harness.Main(m)
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
