package failure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// Local is an error of the local file system. It is not retried.
type Local struct{ Err error }

func (e *Local) Error() string { return e.Err.Error() }
func (e *Local) Unwrap() error { return e.Err }

// Interrupted is an error while reading a response body.
type Interrupted struct{ Err error }

func (e *Interrupted) Error() string { return "body interrupted: " + e.Err.Error() }
func (e *Interrupted) Unwrap() error { return e.Err }

// Retryable reports whether another attempt may succeed after one that failed with err. No other
// code decides this. S3's own errors are classified by the SDK (retry.DefaultRetryables).
func Retryable(err error) bool {
	var local *Local
	var interrupted *Interrupted
	switch {
	case err == nil, errors.As(err, &local):
		return false
	case errors.Is(err, ErrStalled), errors.Is(err, ErrUnexpected):
		return true
	case errors.Is(err, context.Canceled), errors.Is(err, ErrObjectChanged), errors.Is(err, ErrSizeMismatch),
		untrusted(err):
		return false
	case errors.As(err, &interrupted), CredentialsExpired(err),
		errors.Is(err, io.ErrUnexpectedEOF): // interrupted, maybe before S3's error code
		return true
	}
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

// untrusted reports whether err is a certificate that does not verify. The SDK classifies it as a
// connection error, but a retry would not help.
func untrusted(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) ||
		errors.As(err, &hostname) || errors.As(err, &invalid)
}

// CredentialsExpired reports whether S3 refused the request because its credentials have expired.
func CredentialsExpired(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		return true
	}
	return false
}

// Unexplained reports whether err is a 400 response to a HeadObject. The response has no body, and
// so no error code (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html).
func Unexplained(err error) bool {
	var operation *smithy.OperationError
	return errors.As(err, &operation) && operation.OperationName == "HeadObject" && status(err) == 400
}

// The wait between attempts doubles from a first step up to maxWait. Half of it is random, so that
// workers do not retry at the same time. The first step is longer when S3 throttles.
const (
	firstWait         = 50 * time.Millisecond
	firstThrottleWait = 400 * time.Millisecond
	maxWait           = 20 * time.Second
)

// Wait returns how long to wait after the given number of failures in a row, the last of which was
// err. attempt is 1 for the first failure.
func Wait(attempt int, err error) time.Duration {
	step := firstWait
	if throttled(err) {
		step = firstThrottleWait
	}
	wait := min(step<<min(max(attempt, 1)-1, 20), maxWait)
	wait = wait/2 + rand.N(wait/2+1)
	return max(wait, min(retryAfter(err), maxWait))
}

// throttled reports whether S3, or a proxy in front of it, is overloaded.
func throttled(err error) bool {
	return retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary || status(err) == 503
}

func status(err error) int {
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

// retryAfter returns the value of the headers x-amz-retry-after, which the SDK defines in
// milliseconds, or Retry-After, which RFC 9110 defines in seconds.
func retryAfter(err error) time.Duration {
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil || response.Response.Response == nil {
		return 0
	}
	header := response.Response.Header
	if ms, err := strconv.ParseUint(header.Get("X-Amz-Retry-After"), 10, 31); err == nil {
		return time.Duration(ms) * time.Millisecond
	}
	seconds, _ := strconv.ParseUint(header.Get("Retry-After"), 10, 31)
	return time.Duration(seconds) * time.Second
}
