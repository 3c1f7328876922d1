package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"

	"github.com/s3processpool/processpool/internal/bulk"
	"github.com/s3processpool/processpool/internal/settings"
)

// newTransport makes the HTTP/1.1 transport of one worker: one connection per
// slot, kept between ranges. HTTP/2 would put all of them on one TCP connection,
// and S3 does not offer it.
func newTransport(s settings.Settings) (*http.Transport, error) {
	dialer := &net.Dialer{Timeout: s.HTTP.DialTimeout, KeepAlive: s.HTTP.KeepAlive}
	config := s.HTTP.TLS()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	if len(s.CABundle) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(s.CABundle) {
			return nil, errors.New("CABundle holds no PEM certificate")
		}
	}
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           bulk.DialContext(dialer),
		TLSClientConfig:       config,
		TLSHandshakeTimeout:   s.HTTP.TLSHandshakeTimeout,
		ResponseHeaderTimeout: s.HTTP.ResponseHeaderTimeout,
		IdleConnTimeout:       s.HTTP.IdleConnTimeout,
		MaxIdleConns:          0, // no limit over all hosts
		MaxIdleConnsPerHost:   s.Slots + 1,
		DisableCompression:    true, // the object's bytes are wanted as they are
		TLSNextProto:          map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	if s.HTTP.NoProxy {
		t.Proxy = nil
	}
	return t, nil
}
