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
	return brokenOffBy(status, &smithy.DeserializationError{Err: fmt.Errorf("failed to copy error response body, %w", cause)})
}

func brokenOffBy(status int, cause error) error {
	return &smithy.OperationError{ServiceID: "S3", OperationName: "GetObject", Err: &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Body: http.NoBody}},
			Err:      cause,
		},
	}}
}

// sending returns the error that the SDK creates for a request without a response.
func sending(err error) error {
	return &smithy.OperationError{ServiceID: "S3", OperationName: "GetObject", Err: &smithyhttp.RequestSendError{
		Err: &url.Error{Op: "Get", URL: "http://localhost/", Err: err},
	}}
}

// notXML returns the error that the SDK creates from the HTML page of a gateway, which is no error
// of S3.
func notXML(status int) error {
	return brokenOffBy(status, errors.New("error while deserializing xml error response : XML syntax error on line 6: unexpected EOF"))
}

// looking returns the error of a request whose host name was not found.
func looking(dns *net.DNSError, known bool) error {
	err := error(dns)
	if known {
		err = &failure.NameLost{Err: dns}
	}
	return sending(&net.OpError{Op: "dial", Net: "tcp", Err: err})
}

func onSocket(op, call string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(call, errno)}
}

func TestClassOf(t *testing.T) {
	refused, reset := onSocket("dial", "connect", syscall.ECONNREFUSED), onSocket("read", "read", syscall.ECONNRESET)
	full := &failure.Local{Err: &fs.PathError{Op: "write", Err: syscall.ENOSPC}}
	nxdomain := &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}
	servfail := &net.DNSError{Err: "server misbehaving", Name: "h", IsTemporary: true}
	for want, errs := range map[failure.Class]map[string]error{
		failure.Throttling: {
			"503 SlowDown": answer(503, "SlowDown"), "503 of a proxy": answer(503, ""), "503, HTML": notXML(503),
			"503 ServiceUnavailable": answer(503, "ServiceUnavailable"), "503 UnknownError": answer(503, "UnknownError"),
			"429": answer(429, "TooManyRequests"), "429 of a HEAD": answer(429, "UnknownError"), "429, HTML": notXML(429),
			"400 RequestLimitExceeded": answer(400, "RequestLimitExceeded"), "400 Throttling": answer(400, "Throttling"),
			"403 Throttling.User": answer(403, "Throttling.User"), "509": answer(509, ""),
			"403 rateLimitExceeded": answer(403, "rateLimitExceeded"), "503, cut short": brokenOff(503, io.ErrUnexpectedEOF),
			"SlowDown with a 200": answer(200, "SlowDown"),
		},
		failure.NotNow: {
			"500": answer(500, "InternalError"), "502": answer(502, ""), "504": answer(504, "GatewayTimeout"),
			"500, HTML": notXML(500), "502, HTML": notXML(502), "504, HTML": notXML(504), "520, HTML": notXML(520),
			"408": answer(408, "RequestTimeout"), "408 of a HEAD": answer(408, "UnknownError"),
			"400 RequestTimeout": answer(400, "RequestTimeout"), "425": answer(425, ""), "499": answer(499, "ClientDisconnected"),
			"409 OperationAborted": answer(409, "OperationAborted"), "409 of a HEAD": answer(409, "Conflict"),
			"409 ConditionalRequestConflict": answer(409, "ConditionalRequestConflict"),
			"521":                            answer(521, ""), "522": answer(522, ""), "523": answer(523, ""), "524": answer(524, ""),
			"525": answer(525, ""), "529": answer(529, ""), "530": answer(530, ""), "599": answer(599, ""),
			"ServiceUnavailable with a 400": answer(400, "ServiceUnavailable"), "InternalError with a 200": answer(200, "InternalError"),
		},
		failure.Network: {
			"stalled": fmt.Errorf("%w (20s)", failure.ErrStalled), "interrupted": &failure.Interrupted{Err: io.ErrUnexpectedEOF},
			"interrupted by a reset": &failure.Interrupted{Err: reset}, "interrupted by an unknown error": &failure.Interrupted{Err: errors.New("x")},
			"400, cut short": brokenOff(400, io.ErrUnexpectedEOF), "403, and its body was reset": brokenOff(403, reset),
			"404, cut short": brokenOff(404, io.ErrUnexpectedEOF),
			"refused":        sending(refused), "reset": sending(reset), "closed before the answer": sending(io.EOF),
			"no route": sending(onSocket("dial", "connect", syscall.EHOSTUNREACH)), "no network": sending(onSocket("dial", "connect", syscall.ENETUNREACH)),
			"network down": sending(onSocket("dial", "connect", syscall.ENETDOWN)), "dial timeout": sending(onSocket("dial", "connect", syscall.ETIMEDOUT)),
			"broken pipe": sending(onSocket("write", "write", syscall.EPIPE)), "no descriptor": sending(onSocket("dial", "socket", syscall.EMFILE)),
			"handshake cut": sending(io.ErrUnexpectedEOF), "handshake timeout": sending(errors.New("net/http: TLS handshake timeout")),
			"handshake garbled": sending(tls.RecordHeaderError{Msg: "oversized record received"}),
			"TLS alert":         sending(&net.OpError{Op: "remote error", Err: errors.New("tls: internal error")}),
			"idle":              &failure.Idle{Err: sending(io.EOF)}, "no answer": sending(errors.New("net/http: timeout awaiting response headers")),
			"a listing, cut short": fmt.Errorf("%w: %w", failure.ErrUnexpected, brokenOff(200, io.ErrUnexpectedEOF)),
			"proxy: 502":           sending(errors.New("Bad Gateway")),
		},
		failure.Name: {
			"SERVFAIL": looking(servfail, false), "resolver timeout": looking(&net.DNSError{Err: "i/o timeout", IsTimeout: true}, false),
			"no resolver":              looking(&net.DNSError{Err: "connection refused"}, false),
			"NXDOMAIN of a known name": looking(nxdomain, true), "SERVFAIL of a known name": looking(servfail, true),
		},
		failure.Clock: {
			"RequestTimeTooSkewed": answer(403, "RequestTimeTooSkewed"),
			"403, an hour ahead":   signed(answer(403, "Forbidden"), time.Hour), "403, an hour behind": signed(answer(403, "Forbidden"), -time.Hour),
			"403, named": fmt.Errorf("the clock of this machine is off: %w", answer(403, "RequestTimeTooSkewed")),
		},
		failure.Credentials: {
			"400 ExpiredToken": answer(400, "ExpiredToken"), "400 TokenRefreshRequired": answer(400, "TokenRefreshRequired"),
		},
		failure.LostWorker: {
			"lost": fmt.Errorf("%w: pid 7: signal: killed", failure.ErrWorkerLost),
		},
		failure.Untrusted: {
			"unexpected":               fmt.Errorf("%w: status 200", failure.ErrUnexpected),
			"a 200 that is no listing": fmt.Errorf("%w: %w", failure.ErrUnexpected, notXML(200)),
		},
		failure.Final: {
			"nil": nil, "400": answer(400, "InvalidRequest"), "400 InvalidToken": answer(400, "InvalidToken"),
			"403": answer(403, "AccessDenied"), "403 InvalidObjectState": answer(403, "InvalidObjectState"),
			"403 of a HEAD": answer(403, "Forbidden"), "403 of a HEAD, in time": signed(answer(403, "Forbidden"), 3*time.Minute),
			"403, HTML": notXML(403), "404, HTML": notXML(404), "404": answer(404, "NoSuchKey"), "404 of a HEAD": answer(404, "NotFound"),
			"404 NoSuchBucket": answer(404, "NoSuchBucket"), "405": answer(405, "MethodNotAllowed"), "409 InvalidBucketState": answer(409, "InvalidBucketState"),
			"412": answer(412, "PreconditionFailed"), "416": answer(416, "InvalidRange"), "301": answer(301, "PermanentRedirect"),
			"501": answer(501, "NotImplemented"), "505": answer(505, ""), "511": answer(511, ""), "526": answer(526, ""),
			"no space": full, "no space within an interruption": &failure.Interrupted{Err: full},
			"no space and a stall":     errors.Join(failure.ErrStalled, full),
			"no descriptor for a file": &fs.PathError{Op: "open", Err: syscall.EMFILE},
			"canceled":                 failure.ErrCanceled, "context": context.Canceled, "canceled request": sending(context.Canceled),
			"changed":      fmt.Errorf("%w: %w", failure.ErrObjectChanged, answer(412, "PreconditionFailed")),
			"another size": fmt.Errorf("%w: %w", failure.ErrSizeMismatch, answer(416, "InvalidRange")),
			"certificate":  sending(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}),
			"authority":    sending(x509.UnknownAuthorityError{}), "host name": sending(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}),
			"out of date":   sending(x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{}}),
			"no TLS there":  sending(http.ErrSchemeMismatch),
			"no common TLS": sending(&net.OpError{Op: "remote error", Err: errors.New("tls: protocol version not supported")}),
			"old server":    sending(errors.New("tls: server selected unsupported protocol version 301")),
			"NXDOMAIN":      looking(nxdomain, false), "no port": sending(&net.AddrError{Err: "missing port in address", Addr: "h"}),
			"proxy: 407": sending(errors.New("Proxy Authentication Required")), "proxy: 403": sending(errors.New("Forbidden")),
			"scheme":        sending(errors.New(`unsupported protocol scheme "ftp"`)),
			"unknown error": errors.New("credentials: no provider"),
		},
	} {
		for name, err := range errs {
			t.Run(string(want)+"/"+name, func(t *testing.T) {
				if got := failure.ClassOf(err); got != want {
					t.Errorf("got %q, want %q of %v", got, want, err)
				}
				if got := failure.ClassOf(fmt.Errorf("wrapped: %w", err)); err != nil && got != want {
					t.Errorf("wrapped: got %q, want %q", got, want)
				}
				if got := failure.ClassOf(cross(t, err)); want != failure.LostWorker && got != want {
					t.Errorf("in another process: got %q, want %q", got, want)
				}
			})
		}
	}
}

// TestRules has what follows from a class.
func TestRules(t *testing.T) {
	for c, want := range map[failure.Class]struct{ retryable, outage, temporary bool }{
		failure.Final: {}, failure.Clock: {retryable: true}, failure.Credentials: {retryable: true},
		failure.Untrusted: {retryable: true, temporary: true}, failure.LostWorker: {temporary: true},
		failure.Throttling: {true, true, true}, failure.NotNow: {true, true, true},
		failure.Network: {true, true, true}, failure.Name: {true, true, true}, "of a later version": {},
	} {
		if c.Retryable() != want.retryable || c.Outage() != want.outage {
			t.Errorf("%s: got retryable %v, outage %v, want %+v", c, c.Retryable(), c.Outage(), want)
		}
		remote := (&failure.Wire{Text: "x", Class: c}).Unpack()
		if got := failure.Temporary(fmt.Errorf("%w: %w", failure.ErrRetriesExceeded, remote)); got != want.temporary {
			t.Errorf("%s: got temporary %v, want %v", c, got, want.temporary)
		}
		if got := failure.Retryable(remote); got != want.retryable {
			t.Errorf("%s: got retryable %v, want %v", c, got, want.retryable)
		}
	}
}

// signed returns err, an answer to a request that was signed now, as that of a server whose clock
// is ahead.
func signed(err error, ahead time.Duration) error {
	var e *awshttp.ResponseError
	errors.As(err, &e)
	now := time.Now().UTC()
	e.Response.Header.Set("Date", now.Add(ahead).Format(http.TimeFormat))
	e.Response.Request = &http.Request{Header: http.Header{"X-Amz-Date": {now.Format("20060102T150405Z")}}}
	return err
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
