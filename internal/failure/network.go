package failure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// NameLost is the error of a lookup of a name that this process has resolved before. That the name
// does not exist is then a fault of the resolver, and passes.
type NameLost struct{ Err error }

func (e *NameLost) Error() string { return e.Err.Error() }
func (e *NameLost) Unwrap() error { return e.Err }

// Idle is the error of a connection that was used before, and broke off before the answer began:
// the server had closed it while it was idle (RFC 9112, section 9.3.1).
type Idle struct{ Err error }

func (e *Idle) Error() string { return e.Err.Error() }
func (e *Idle) Unwrap() error { return e.Err }

// ofNetwork returns the class of an error of the resolver or of a connection, and whether err is
// one.
func ofNetwork(err error) (c Class, known bool) {
	var (
		lost        *NameLost
		dns         *net.DNSError
		interrupted *Interrupted
		connection  interface{ ConnectionError() bool } // the SDK's: the request was sent, or failed to be
	)
	switch {
	case errors.As(err, &lost):
		return Name, true
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return Final, true
		}
		return Name, true // SERVFAIL, a timeout, no way to the resolver
	case errors.As(err, &interrupted), errors.Is(err, io.ErrUnexpectedEOF), // maybe before S3's error code
		errors.As(err, &connection) && connection.ConnectionError(),
		(retry.RetryableConnectionError{}).IsErrorRetryable(err) == aws.TrueTernary:
		return Network, true
	}
	return Final, false
}

// hopeless reports whether err is an error of a connection, which the SDK would retry, that comes
// back at each attempt: a certificate that does not verify, a server without TLS, an address that
// is none, or a proxy that refuses.
func hopeless(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		roots        x509.SystemRootsError
		address      *net.AddrError
		network      net.UnknownNetworkError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &roots) ||
		errors.As(err, &address) || errors.As(err, &network) ||
		errors.Is(err, http.ErrSchemeMismatch) || refusedByTLS(err) || refusedByProxy(err)
}

// refusedByTLS reports whether the server and this client have no version or cipher of TLS in
// common, or the server insists on a certificate of the client. Package tls has only texts for
// these (https://www.rfc-editor.org/rfc/rfc8446#section-6.2).
func refusedByTLS(err error) bool {
	if strings.Contains(err.Error(), "tls: server selected unsupported protocol version") {
		return true
	}
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" && op.Op != "local error" {
		return false
	}
	switch strings.TrimPrefix(op.Err.Error(), "tls: ") {
	case "handshake failure", "protocol version not supported", "insufficient security level",
		"certificate required", "bad certificate", "unsupported certificate", "revoked certificate",
		"expired certificate", "unknown certificate", "unknown certificate authority", "access denied":
		return true
	}
	return false
}

// refusedByProxy reports whether a proxy answered CONNECT with a refusal, of which net/http returns
// the status text only; or whether the URL has a scheme that no one speaks.
func refusedByProxy(err error) bool {
	var sent *url.Error
	if !errors.As(err, &sent) || sent.Err == nil {
		return false
	}
	switch text := sent.Err.Error(); text {
	case http.StatusText(http.StatusBadRequest), http.StatusText(http.StatusUnauthorized),
		http.StatusText(http.StatusForbidden), http.StatusText(http.StatusNotFound),
		http.StatusText(http.StatusMethodNotAllowed), http.StatusText(http.StatusProxyAuthRequired),
		http.StatusText(http.StatusNotImplemented), "http: no Host in request URL":
		return true
	default:
		return strings.HasPrefix(text, "unsupported protocol scheme ")
	}
}
