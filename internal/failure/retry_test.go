package failure_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/s3processpool/processpool/internal/failure"
)

// answer returns the error that the SDK creates from an S3 error response.
func answer(status int, code string, header ...string) error {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &smithy.OperationError{ServiceID: "S3", OperationName: "GetObject", Err: &awshttp.ResponseError{
		RequestID: "ID",
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: h, Body: http.NoBody}},
			Err:      &smithy.GenericAPIError{Code: code, Message: "message"},
		},
	}}
}

// brokenOff returns the error that the SDK creates from an S3 error response whose body it cannot
// read.
func brokenOff(status int, cause error) error {
	return &smithy.OperationError{ServiceID: "S3", OperationName: "GetObject", Err: &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Body: http.NoBody}},
			Err:      &smithy.DeserializationError{Err: fmt.Errorf("failed to copy error response body, %w", cause)},
		},
	}}
}

// sending returns the error that the SDK creates for a request without a response.
func sending(err error) error {
	return &smithy.OperationError{ServiceID: "S3", OperationName: "GetObject", Err: &smithyhttp.RequestSendError{
		Err: &url.Error{Op: "Get", URL: "http://localhost/", Err: err},
	}}
}

func TestRetryable(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	reset := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	full := &failure.Local{Err: &fs.PathError{Op: "write", Err: syscall.ENOSPC}}
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"nil", nil, false},
		{"stalled", fmt.Errorf("%w (20s)", failure.ErrStalled), true},
		{"unexpected", fmt.Errorf("%w: status 200", failure.ErrUnexpected), true},
		{"interrupted", &failure.Interrupted{Err: io.ErrUnexpectedEOF}, true},
		{"interrupted by a reset", &failure.Interrupted{Err: reset}, true},
		{"interrupted by an unknown error", &failure.Interrupted{Err: errors.New("x")}, true},

		{"500", answer(500, "InternalError"), true},
		{"502", answer(502, ""), true},
		{"503", answer(503, "SlowDown"), true},
		{"503 of a proxy", answer(503, ""), true},
		{"504", answer(504, ""), true},
		{"400 RequestTimeout", answer(400, "RequestTimeout"), true},
		{"400 ExpiredToken", answer(400, "ExpiredToken"), true},
		{"400 TokenRefreshRequired", answer(400, "TokenRefreshRequired"), true},
		{"400, body interrupted", brokenOff(400, io.ErrUnexpectedEOF), true},
		{"403, and its body was reset", brokenOff(403, reset), true},
		{"connection refused", sending(refused), true},
		{"connection reset", sending(reset), true},
		{"closed before the answer", sending(io.EOF), true},

		{"400", answer(400, "InvalidRequest"), false},
		{"400 InvalidToken", answer(400, "InvalidToken"), false},
		{"403", answer(403, "AccessDenied"), false},
		{"403 InvalidObjectState", answer(403, "InvalidObjectState"), false},
		{"404", answer(404, "NoSuchKey"), false},
		{"412", answer(412, "PreconditionFailed"), false},
		{"416", answer(416, "InvalidRange"), false},
		{"501", answer(501, "NotImplemented"), false},
		{"no space", full, false},
		{"no space within an interruption", &failure.Interrupted{Err: full}, false},
		{"no space and a stall", errors.Join(failure.ErrStalled, full), false},
		{"canceled", failure.ErrCanceled, false},
		{"context", context.Canceled, false},
		{"canceled request", sending(context.Canceled), false},
		{"changed", fmt.Errorf("%w: %w", failure.ErrObjectChanged, answer(412, "PreconditionFailed")), false},
		{"another size", fmt.Errorf("%w: %w", failure.ErrSizeMismatch, answer(416, "InvalidRange")), false},
		{"certificate", sending(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), false},
		{"authority", sending(x509.UnknownAuthorityError{}), false},
		{"host name", sending(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}), false},
		{"out of date", sending(x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{}}), false},
		{"unknown error", errors.New("credentials: no provider"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := failure.Retryable(c.err); got != c.want {
				t.Errorf("got %v, want %v of %v", got, c.want, c.err)
			}
		})
	}
}

func TestCredentialsExpired(t *testing.T) {
	for code, want := range map[string]bool{
		"ExpiredToken": true, "ExpiredTokenException": true, "TokenRefreshRequired": true,
		"InvalidToken": false, "AccessDenied": false, "InvalidAccessKeyId": false, "RequestExpired": false,
	} {
		if got := failure.CredentialsExpired(answer(400, code)); got != want {
			t.Errorf("%s: got %v, want %v", code, got, want)
		}
	}
	if failure.CredentialsExpired(nil) || failure.CredentialsExpired(errors.New("ExpiredToken")) {
		t.Error("got true for an error that is not a response of S3")
	}
}

func TestWait(t *testing.T) {
	plain, throttled := errors.New("x"), answer(503, "SlowDown")
	for _, c := range []struct {
		name     string
		attempt  int
		err      error
		min, max time.Duration
	}{
		{"attempt=1", 1, plain, 25 * time.Millisecond, 50 * time.Millisecond},
		{"attempt=2", 2, plain, 50 * time.Millisecond, 100 * time.Millisecond},
		{"attempt=5", 5, plain, 400 * time.Millisecond, 800 * time.Millisecond},
		{"attempt=9", 9, plain, 6400 * time.Millisecond, 12800 * time.Millisecond},
		{"attempt=10", 10, plain, 10 * time.Second, 20 * time.Second},
		{"attempt=1000000", 1000000, plain, 10 * time.Second, 20 * time.Second},
		{"attempt=0", 0, plain, 25 * time.Millisecond, 50 * time.Millisecond},
		{"attempt=-1", -1, plain, 25 * time.Millisecond, 50 * time.Millisecond},
		{"stalled", 1, failure.ErrStalled, 25 * time.Millisecond, 50 * time.Millisecond},

		{"throttled, attempt=1", 1, throttled, 200 * time.Millisecond, 400 * time.Millisecond},
		{"throttled, attempt=3", 3, throttled, 800 * time.Millisecond, 1600 * time.Millisecond},
		{"throttled, attempt=64", 64, throttled, 10 * time.Second, 20 * time.Second},
		{"throttled by a proxy", 1, answer(503, ""), 200 * time.Millisecond, 400 * time.Millisecond},
		{"throttled in a chain", 1, fmt.Errorf("x: %w", throttled), 200 * time.Millisecond, 400 * time.Millisecond},

		{"Retry-After=3", 1, answer(503, "SlowDown", "Retry-After", "3"), 3 * time.Second, 3 * time.Second},
		{"Retry-After=0", 1, answer(500, "", "Retry-After", "0"), 25 * time.Millisecond, 50 * time.Millisecond},
		{"Retry-After=100000", 1, answer(503, "", "Retry-After", "100000"), 20 * time.Second, 20 * time.Second},
		{"Retry-After=9999999999999999999", 1, answer(500, "", "Retry-After", "9999999999999999999"), 0, 20 * time.Second},
		{"Retry-After=-1", 1, answer(500, "", "Retry-After", "-1"), 25 * time.Millisecond, 50 * time.Millisecond},
		{"Retry-After=date", 1, answer(500, "", "Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT"), 25 * time.Millisecond, 50 * time.Millisecond},
		{"x-amz-retry-after=1500", 1, answer(500, "", "X-Amz-Retry-After", "1500"), 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"both", 1, answer(500, "", "X-Amz-Retry-After", "1500", "Retry-After", "9"), 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"Retry-After below the back-off", 9, answer(500, "", "Retry-After", "1"), 6400 * time.Millisecond, 12800 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			low, high := time.Duration(1<<63-1), time.Duration(0)
			for range 2000 {
				d := failure.Wait(c.attempt, c.err)
				low, high = min(low, d), max(high, d)
			}
			if low < c.min || high > c.max {
				t.Errorf("got waits of %v to %v, want %v to %v", low, high, c.min, c.max)
			}
			// Half of a wait is random, so that workers do not retry at the same time.
			if spread := c.max - c.min; c.min > 0 && high-low < spread/2 {
				t.Errorf("got waits of %v to %v: they hardly differ", low, high)
			}
		})
	}
}
