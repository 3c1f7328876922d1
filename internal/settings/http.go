package settings

import (
	"crypto/tls"
	"net"
	"net/http"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// These fields cross as values of HTTP, or each worker sets them itself because they depend on its
// number of connections. Any other field that differs from the SDK's default cannot cross.
var (
	transportFields = map[string]bool{
		"Proxy": true, "DialContext": true, "TLSClientConfig": true, // checked individually
		"TLSHandshakeTimeout": true, "ResponseHeaderTimeout": true, "IdleConnTimeout": true,
		"MaxIdleConns": true, "MaxIdleConnsPerHost": true, "MaxConnsPerHost": true, "ExpectContinueTimeout": true,
		"WriteBufferSize": true, "ReadBufferSize": true, "MaxResponseHeaderBytes": true, "DisableCompression": true,
		"ForceAttemptHTTP2": true, "HTTP2": true, "Protocols": true, "TLSNextProto": true,
	}
	tlsFields = map[string]bool{
		"RootCAs":            true, // checked individually
		"InsecureSkipVerify": true, "ServerName": true, "MinVersion": true,
		"ClientSessionCache": true, "NextProtos": true,
	}
	dialerFields = map[string]bool{"Timeout": true, "KeepAlive": true, "DualStack": true}
)

// readHTTP returns the plain values of client, and everything that cannot cross.
func readHTTP(client *awshttp.BuildableClient, caGiven bool) (HTTP, []Fault) {
	base := awshttp.NewBuildableClient()
	transport, plain := client.GetTransport(), base.GetTransport()
	dialer, plainDialer := client.GetDialer(), base.GetDialer()

	faults := otherFields("HTTPClient transport", reflect.ValueOf(plain).Elem(), reflect.ValueOf(transport).Elem(), transportFields)
	faults = append(faults, otherFields("HTTPClient dialer", reflect.ValueOf(plainDialer).Elem(), reflect.ValueOf(dialer).Elem(), dialerFields)...)

	h := HTTP{
		DialTimeout:           dialer.Timeout,
		KeepAlive:             dialer.KeepAlive,
		TLSHandshakeTimeout:   transport.TLSHandshakeTimeout,
		ResponseHeaderTimeout: transport.ResponseHeaderTimeout,
		IdleConnTimeout:       transport.IdleConnTimeout,
		NoProxy:               transport.Proxy == nil,
	}
	refuse := func(field, remedy string) {
		faults = append(faults, cannotCross("HTTPClient transport."+field, remedy))
	}
	if transport.Proxy != nil && pointer(transport.Proxy) != pointer(http.ProxyFromEnvironment) {
		refuse("Proxy", "set HTTPS_PROXY and HTTP_PROXY in the environment, or "+useWorkerCommand)
	}
	if p := pointer(transport.DialContext); p != pointer(plain.DialContext) && p != pointer((&net.Dialer{}).DialContext) {
		refuse("DialContext", useWorkerCommand)
	}
	if c := transport.TLSClientConfig; c != nil {
		standard := plain.TLSClientConfig
		faults = append(faults, otherFields("HTTPClient TLS", reflect.ValueOf(standard).Elem(), reflect.ValueOf(c).Elem(), tlsFields)...)
		h.TLSMinVersion, h.TLSServerName, h.InsecureSkipVerify = c.MinVersion, c.ServerName, c.InsecureSkipVerify
		if c.RootCAs != nil && !caGiven {
			refuse("TLSClientConfig.RootCAs", "set the certificates as PEM in Config.CABundle")
		}
	}
	if client.GetTimeout() != 0 {
		faults = append(faults, Fault{"HTTPClient timeout", "limits a whole body and cannot apply to ranges: use Config.StallTimeout, or a context"})
	}
	return h, faults
}

// otherFields returns a fault for each exported field of got that differs from want and is not in
// known.
func otherFields(what string, want, got reflect.Value, known map[string]bool) []Fault {
	var faults []Fault
	for i := range got.NumField() {
		field := got.Type().Field(i)
		if !field.IsExported() || known[field.Name] {
			continue
		}
		if !sameValue(want.Field(i), got.Field(i)) {
			faults = append(faults, cannotCross(what+"."+field.Name, useWorkerCommand))
		}
	}
	return faults
}

func sameValue(a, b reflect.Value) bool {
	if a.Kind() == reflect.Func {
		return a.Pointer() == b.Pointer()
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// pointer identifies the code of a function. All closures of one function are equal.
func pointer(fn any) uintptr { return reflect.ValueOf(fn).Pointer() }

// readTimeout returns the read timeout that the caller has set, and not one that the SDK has set.
func readTimeout(cfg aws.Config, before, after s3.Options) (time.Duration, bool) {
	client := after.HTTPClient
	if !differs(before.HTTPClient, after.HTTPClient) {
		client = cfg.HTTPClient
	}
	if buildable, ok := client.(*awshttp.BuildableClient); ok && buildable != nil {
		d, set := buildable.GetReadTimeout()
		return d, set && d > 0
	}
	return 0, false
}

// TLS returns the worker's TLS settings, without the roots.
func (h HTTP) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:         h.TLSMinVersion,
		ServerName:         h.TLSServerName,
		InsecureSkipVerify: h.InsecureSkipVerify, // the caller's own choice
	}
}
