package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"

	"github.com/s3processpool/processpool/internal/lowat"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/spread"
)

// newDialer makes the worker's dialer. Its first address is not that of the workers in lower seats,
// as long as the name has enough of them.
func newDialer(s settings.Settings, lookup spread.Lookup) *spread.Dialer {
	if lookup == nil {
		lookup = net.DefaultResolver.LookupNetIP
	}
	dialer := &net.Dialer{Timeout: s.HTTP.DialTimeout, KeepAlive: s.HTTP.KeepAlive}
	return spread.New(dialer.DialContext, remember(lookup), s.HTTP.DialTimeout, s.Seat*s.Slots)
}

// newTransport makes the HTTP/1.1 transport of one worker. It keeps one connection for each slot
// between requests. HTTP/2, which S3 does not offer, would share one TCP connection among all
// slots.
func newTransport(s settings.Settings, dialer *spread.Dialer) (*http.Transport, *early, error) {
	config := s.HTTP.TLS()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	if len(s.CABundle) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(s.CABundle) {
			return nil, nil, errors.New("CABundle holds no PEM certificate")
		}
	}
	dial := lowat.DialContext(dialer.DialContext)
	e := &early{plain: dial, secure: secureDialer(dial, config, s.HTTP.TLSHandshakeTimeout), n: s.Slots, keep: keepEarly}
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           e.dial(false),
		DialTLSContext:        e.dial(true),
		TLSClientConfig:       config, // behind a proxy that is asked to CONNECT
		TLSHandshakeTimeout:   s.HTTP.TLSHandshakeTimeout,
		ResponseHeaderTimeout: s.HTTP.ResponseHeaderTimeout,
		IdleConnTimeout:       s.HTTP.IdleConnTimeout,
		MaxIdleConns:          0, // no limit over all hosts

		// S3's headers have less than 16 KiB; the default of net/http, 10 MiB, costs several times as
		// much of memory.
		MaxResponseHeaderBytes: 1 << 20,

		MaxIdleConnsPerHost: s.Slots + 1,
		DisableCompression:  true, // keep the object's bytes as they are
		TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	if s.HTTP.NoProxy {
		t.Proxy = nil
	}
	e.proxy = t.Proxy
	return t, e, nil
}
