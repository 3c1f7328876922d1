package failure

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Kind is what an attempt that will be made again has failed by, for those who count.
type Kind string

const (
	KindThrottled  Kind = "throttled"  // S3 asked for a slower pace
	KindStalled    Kind = "stalled"    // silence
	KindConnection Kind = "connection" // it could not be made, or broke off
	KindUnexpected Kind = "unexpected" // an answer that does not fit the request
	KindOther      Kind = "other"      // S3's own errors, and expired credentials
)

// KindOf sorts an error that is Retryable. The classes of S3's errors and of the
// network's are the SDK's, as in Retryable.
func KindOf(err error) Kind {
	var interrupted *Interrupted
	switch {
	case errors.Is(err, ErrStalled):
		return KindStalled
	case errors.Is(err, ErrUnexpected):
		return KindUnexpected
	case throttled(err):
		return KindThrottled
	case errors.As(err, &interrupted), (retry.RetryableConnectionError{}).IsErrorRetryable(err) == aws.TrueTernary:
		return KindConnection
	}
	return KindOther
}
