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

// Local is an error of this machine's file system. S3 cannot mend it.
type Local struct{ Err error }

func (e *Local) Error() string { return e.Err.Error() }
func (e *Local) Unwrap() error { return e.Err }

// Interrupted is a body that broke off.
type Interrupted struct{ Err error }

func (e *Interrupted) Error() string { return "body broke off: " + e.Err.Error() }
func (e *Interrupted) Unwrap() error { return e.Err }

// Retryable decides whether another attempt may succeed where err was the last
// one's end. It is the only place that does. The classes of S3's own errors are
// the SDK's (retry.DefaultRetryables).
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
		errors.Is(err, io.ErrUnexpectedEOF): // the answer broke off, maybe before it told what is wrong
		return true
	}
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

// untrusted tells a certificate that does not verify, which the SDK counts among
// the connection errors; asking again would not make it better.
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

// CredentialsExpired tells that S3 refused the credentials as too old, so that
// new ones may help.
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

// Unexplained tells a 400 to a HeadObject: its answer has no body that could say what
// for (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html).
func Unexplained(err error) bool {
	var operation *smithy.OperationError
	return errors.As(err, &operation) && operation.OperationName == "HeadObject" && status(err) == 400
}

// The waits between attempts: doubling from a first step, at most maxWait, half of it
// by chance so that workers do not come back together. S3 asks for a longer pause
// when it throttles.
const (
	firstWait         = 50 * time.Millisecond
	firstThrottleWait = 400 * time.Millisecond
	maxWait           = 20 * time.Second
)

// Wait returns the pause after the attempt-th failure in a row (1 is the first).
func Wait(attempt int, err error) time.Duration {
	step := firstWait
	if throttled(err) {
		step = firstThrottleWait
	}
	wait := min(step<<min(max(attempt, 1)-1, 20), maxWait)
	wait = wait/2 + rand.N(wait/2+1)
	return max(wait, min(retryAfter(err), maxWait))
}

// throttled tells that S3, or what stands before it, has too much to do.
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

// retryAfter reads RFC 9110's Retry-After, in seconds, and the SDK's own
// x-amz-retry-after, in milliseconds.
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
