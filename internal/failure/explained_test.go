package failure_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool/internal/failure"
)

// TestExplained: the code is that of the GetObject, and the types of both are found, also after a
// crossing.
func TestExplained(t *testing.T) {
	head, get := answer(404, "NotFound"), answer(404, "NoSuchBucket")
	err := error(&failure.Explained{Head: failure.Pack(head).Unpack(), Get: failure.Pack(get).Unpack()})
	wantSame(t, err)
	for _, err := range []error{err, cross(t, err)} {
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != "NoSuchBucket" {
			t.Errorf("got %v, want the code of the GetObject", err)
		}
		if !errors.As(err, new(*types.NotFound)) || !errors.As(err, new(*types.NoSuchBucket)) {
			t.Errorf("got %v, want NotFound and NoSuchBucket", err)
		}
		if text := err.Error(); !strings.HasPrefix(text, "HeadObject was answered with status 404") || !strings.HasSuffix(text, "message") {
			t.Errorf("got text %q", text)
		}
	}
	if failure.Retryable(err) || !failure.Retryable(&failure.Explained{Head: head, Get: answer(503, "SlowDown")}) {
		t.Error("the GetObject decides whether it is retried")
	}
}
