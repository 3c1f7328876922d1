package failure

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Kind classifies the failure of a retried attempt, for statistics.
type Kind string

const (
	KindThrottled  Kind = "throttled"  // S3 asked for a lower request rate
	KindStalled    Kind = "stalled"    // the connection delivered nothing for too long
	KindConnection Kind = "connection" // not established, or interrupted
	KindUnexpected Kind = "unexpected" // a response that does not fit the request
	KindOther      Kind = "other"      // S3's own errors, and expired credentials
)

// KindOf returns the Kind of err, which must be Retryable. The SDK classifies the errors of S3 and
// of the network, as in Retryable.
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
