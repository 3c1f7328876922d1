//lint:file-ignore SA1019 The tests cover deprecated fields, too.

package settings_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/settings"
)

var errNotCalled = errors.New("not called")

func dialNothing(string, string) (net.Conn, error)                               { return nil, errNotCalled }
func dialNothingIn(context.Context, string, string) (net.Conn, error)            { return nil, errNotCalled }
func control(string, string, syscall.RawConn) error                              { return errNotCalled }
func controlIn(context.Context, string, string, syscall.RawConn) error           { return errNotCalled }
func roundTripper(string, *tls.Conn) http.RoundTripper                           { return nil }
func proxyHeader(context.Context, *url.URL, string) (http.Header, error)         { return nil, nil }
func proxyAnswer(context.Context, *url.URL, *http.Request, *http.Response) error { return nil }

var transportFields = map[string]field[http.Transport]{
	"TLSHandshakeTimeout":   {plain, func(t *http.Transport) { t.TLSHandshakeTimeout = time.Minute }},
	"ResponseHeaderTimeout": {plain, func(t *http.Transport) { t.ResponseHeaderTimeout = time.Minute }},
	"IdleConnTimeout":       {plain, func(t *http.Transport) { t.IdleConnTimeout = time.Minute }},
	"TLSClientConfig":       {plain, func(t *http.Transport) { t.TLSClientConfig = nil }},

	"Proxy":                  {foreign, func(t *http.Transport) { t.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy"}) }},
	"DialContext":            {foreign, func(t *http.Transport) { t.DialContext = dialNothingIn }},
	"OnProxyConnectResponse": {foreign, func(t *http.Transport) { t.OnProxyConnectResponse = proxyAnswer }},
	"Dial":                   {foreign, func(t *http.Transport) { t.Dial = dialNothing }},
	"DialTLSContext":         {foreign, func(t *http.Transport) { t.DialTLSContext = dialNothingIn }},
	"DialTLS":                {foreign, func(t *http.Transport) { t.DialTLS = dialNothing }},
	"DisableKeepAlives":      {foreign, func(t *http.Transport) { t.DisableKeepAlives = true }},
	"ProxyConnectHeader":     {foreign, func(t *http.Transport) { t.ProxyConnectHeader = http.Header{"A": {"b"}} }},
	"GetProxyConnectHeader":  {foreign, func(t *http.Transport) { t.GetProxyConnectHeader = proxyHeader }},

	// Each worker sets these itself, from the number and the protocol of its connections.
	"MaxIdleConns":           {idle, func(t *http.Transport) { t.MaxIdleConns = 5 }},
	"MaxIdleConnsPerHost":    {idle, func(t *http.Transport) { t.MaxIdleConnsPerHost = 5 }},
	"MaxConnsPerHost":        {idle, func(t *http.Transport) { t.MaxConnsPerHost = 5 }},
	"ExpectContinueTimeout":  {idle, func(t *http.Transport) { t.ExpectContinueTimeout = time.Minute }},
	"WriteBufferSize":        {idle, func(t *http.Transport) { t.WriteBufferSize = 5 }},
	"ReadBufferSize":         {idle, func(t *http.Transport) { t.ReadBufferSize = 5 }},
	"MaxResponseHeaderBytes": {idle, func(t *http.Transport) { t.MaxResponseHeaderBytes = 5 }},
	"DisableCompression":     {idle, func(t *http.Transport) { t.DisableCompression = true }},
	"ForceAttemptHTTP2":      {idle, func(t *http.Transport) { t.ForceAttemptHTTP2 = false }},
	"HTTP2":                  {idle, func(t *http.Transport) { t.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 5} }},
	"Protocols":              {idle, func(t *http.Transport) { t.Protocols = new(http.Protocols) }},
	"TLSNextProto": {idle, func(t *http.Transport) {
		t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{"h2": roundTripper}
	}},
}

func TestTransport(t *testing.T) {
	classified(t, transportFields)
	for name, f := range transportFields {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(f.set)
			wantClass(t, f.class, name, extract(t, cfg))
		})
	}
}

var tlsFields = map[string]field[tls.Config]{
	"InsecureSkipVerify": {plain, func(c *tls.Config) { c.InsecureSkipVerify = true }},
	"ServerName":         {plain, func(c *tls.Config) { c.ServerName = "name" }},
	"MinVersion":         {plain, func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }},

	"RootCAs":           {foreign, func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }},
	"Rand":              {foreign, func(c *tls.Config) { c.Rand = new(bytes.Buffer) }},
	"Time":              {foreign, func(c *tls.Config) { c.Time = time.Now }},
	"Certificates":      {foreign, func(c *tls.Config) { c.Certificates = []tls.Certificate{{Certificate: [][]byte{{1}}}} }},
	"NameToCertificate": {foreign, func(c *tls.Config) { c.NameToCertificate = map[string]*tls.Certificate{"n": {}} }},
	"GetCertificate": {foreign, func(c *tls.Config) {
		c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }
	}},
	"GetClientCertificate": {foreign, func(c *tls.Config) {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, nil }
	}},
	"GetConfigForClient": {foreign, func(c *tls.Config) {
		c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }
	}},
	"VerifyPeerCertificate": {foreign, func(c *tls.Config) {
		c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return nil }
	}},
	"VerifyConnection":         {foreign, func(c *tls.Config) { c.VerifyConnection = func(tls.ConnectionState) error { return nil } }},
	"ClientAuth":               {foreign, func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert }},
	"ClientCAs":                {foreign, func(c *tls.Config) { c.ClientCAs = x509.NewCertPool() }},
	"CipherSuites":             {foreign, func(c *tls.Config) { c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256} }},
	"PreferServerCipherSuites": {foreign, func(c *tls.Config) { c.PreferServerCipherSuites = true }},
	"SessionTicketsDisabled":   {foreign, func(c *tls.Config) { c.SessionTicketsDisabled = true }},
	"SessionTicketKey":         {foreign, func(c *tls.Config) { c.SessionTicketKey[0] = 1 }},
	"UnwrapSession": {foreign, func(c *tls.Config) {
		c.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, nil }
	}},
	"WrapSession": {foreign, func(c *tls.Config) {
		c.WrapSession = func(tls.ConnectionState, *tls.SessionState) ([]byte, error) { return nil, nil }
	}},
	"MaxVersion":                     {foreign, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }},
	"CurvePreferences":               {foreign, func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP521} }},
	"DynamicRecordSizingDisabled":    {foreign, func(c *tls.Config) { c.DynamicRecordSizingDisabled = true }},
	"Renegotiation":                  {foreign, func(c *tls.Config) { c.Renegotiation = tls.RenegotiateOnceAsClient }},
	"KeyLogWriter":                   {foreign, func(c *tls.Config) { c.KeyLogWriter = new(bytes.Buffer) }},
	"EncryptedClientHelloConfigList": {foreign, func(c *tls.Config) { c.EncryptedClientHelloConfigList = []byte{1} }},
	"EncryptedClientHelloRejectionVerify": {foreign, func(c *tls.Config) {
		c.EncryptedClientHelloRejectionVerify = func(tls.ConnectionState) error { return nil }
	}},
	"GetEncryptedClientHelloKeys": {foreign, func(c *tls.Config) {
		c.GetEncryptedClientHelloKeys = func(*tls.ClientHelloInfo) ([]tls.EncryptedClientHelloKey, error) { return nil, nil }
	}},
	"EncryptedClientHelloKeys": {foreign, func(c *tls.Config) { c.EncryptedClientHelloKeys = []tls.EncryptedClientHelloKey{{}} }},

	// Each worker sets these itself.
	"ClientSessionCache": {idle, func(c *tls.Config) { c.ClientSessionCache = tls.NewLRUClientSessionCache(0) }},
	"NextProtos":         {idle, func(c *tls.Config) { c.NextProtos = []string{"h2"} }},
}

func TestTLS(t *testing.T) {
	classified(t, tlsFields)
	for name, f := range tlsFields {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { f.set(t.TLSClientConfig) })
			x := extract(t, cfg)
			wantClass(t, f.class, name, x)
			if f.class == plain {
				value := func(c *tls.Config) any { return reflect.ValueOf(c).Elem().FieldByName(name).Interface() }
				var want tls.Config
				f.set(&want)
				if got := value(x.Settings.HTTP.TLS()); got != value(&want) {
					t.Errorf("got %v, want %v", got, value(&want))
				}
			}
		})
	}
}

var dialerFields = map[string]field[net.Dialer]{
	"Timeout":   {plain, func(d *net.Dialer) { d.Timeout = time.Minute }},
	"KeepAlive": {plain, func(d *net.Dialer) { d.KeepAlive = time.Minute }},

	"Deadline":        {foreign, func(d *net.Dialer) { d.Deadline = time.Now() }},
	"LocalAddr":       {foreign, func(d *net.Dialer) { d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }},
	"FallbackDelay":   {foreign, func(d *net.Dialer) { d.FallbackDelay = -1 }},
	"KeepAliveConfig": {foreign, func(d *net.Dialer) { d.KeepAliveConfig.Enable = true }},
	"Resolver":        {foreign, func(d *net.Dialer) { d.Resolver = &net.Resolver{PreferGo: true} }},
	"Cancel":          {foreign, func(d *net.Dialer) { d.Cancel = make(chan struct{}) }},
	"Control":         {foreign, func(d *net.Dialer) { d.Control = control }},
	"ControlContext":  {foreign, func(d *net.Dialer) { d.ControlContext = controlIn }},

	"DualStack": {idle, func(d *net.Dialer) { d.DualStack = false }}, // no effect since Go 1.12
}

func TestDialer(t *testing.T) {
	classified(t, dialerFields)
	for name, f := range dialerFields {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			cfg.HTTPClient = awshttp.NewBuildableClient().WithDialerOptions(f.set)
			wantClass(t, f.class, name, extract(t, cfg))
		})
	}
}

func TestClientTimeouts(t *testing.T) {
	cfg := config()
	cfg.HTTPClient = awshttp.NewBuildableClient().
		WithReadTimeout(7 * time.Second).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout, d.KeepAlive = time.Second, 2*time.Second }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout, t.ResponseHeaderTimeout, t.IdleConnTimeout = 3*time.Second, 4*time.Second, 5*time.Second
			t.Proxy = nil
		})
	x := extract(t, cfg)
	want := settings.HTTP{
		DialTimeout: time.Second, KeepAlive: 2 * time.Second, TLSHandshakeTimeout: 3 * time.Second,
		ResponseHeaderTimeout: 4 * time.Second, IdleConnTimeout: 5 * time.Second,
		TLSMinVersion: tls.VersionTLS12, NoProxy: true,
	}
	if x.Foreign != nil || x.Settings.HTTP != want || x.Settings.StallTimeout != 7*time.Second {
		t.Errorf("got %+v, StallTimeout %v, error %v, want %+v, 7s", x.Settings.HTTP, x.Settings.StallTimeout, x.Foreign, want)
	}

	if x := extract(t, config()); x.Settings.StallTimeout != 0 {
		t.Errorf("got StallTimeout %v of a client that sets none", x.Settings.StallTimeout)
	}
	x = extract(t, config(), func(o *s3.Options) {
		o.HTTPClient = awshttp.NewBuildableClient().WithReadTimeout(8 * time.Second)
	})
	if x.Settings.StallTimeout != 8*time.Second {
		t.Errorf("client options: got StallTimeout %v, want 8s", x.Settings.StallTimeout)
	}
	cfg.HTTPClient = awshttp.NewBuildableClient().WithReadTimeout(0)
	if x := extract(t, cfg); x.Foreign != nil || x.Settings.StallTimeout != 0 {
		t.Errorf("off: got StallTimeout %v, error %v", x.Settings.StallTimeout, x.Foreign)
	}

	cfg.HTTPClient = awshttp.NewBuildableClient().WithTimeout(time.Minute)
	if x := extract(t, cfg); x.Foreign == nil || !strings.Contains(x.Foreign.Err().Error(), "timeout") {
		t.Errorf("a timeout of a whole body: got error %v", x.Foreign)
	}
}

// TestDefaultsMode checks that the mode sets only timeouts that the caller has not set.
func TestDefaultsMode(t *testing.T) {
	for _, client := range []aws.HTTPClient{nil, awshttp.NewBuildableClient()} {
		cfg := config()
		cfg.HTTPClient = client
		cfg.DefaultsMode = aws.DefaultsModeInRegion
		x := extract(t, cfg)
		want := 1100 * time.Millisecond
		if got := x.Settings.HTTP; x.Foreign != nil || got.DialTimeout != want || got.TLSHandshakeTimeout != want {
			t.Errorf("%T: got %+v, error %v, want timeouts of %v", client, got, x.Foreign, want)
		}
	}
}

// TestCABundle: if AWS_CA_BUNDLE is set, config.LoadDefaultConfig creates a client with these
// roots. The pool reads the file itself.
func TestCABundle(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	cfg := config()
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		t.TLSClientConfig.RootCAs.AddCert(server.Certificate())
	})
	if x := settings.Extract(cfg, nil, true); x.Foreign != nil {
		t.Errorf("roots given: got %v", x.Foreign)
	}
	x := settings.Extract(cfg, nil, false)
	if x.Foreign == nil || !strings.Contains(x.Foreign.Err().Error(), "RootCAs") || !strings.Contains(x.Foreign.Err().Error(), "Config.CABundle") {
		t.Errorf("roots not given: got %v, want an error that points to CABundle", x.Foreign)
	}
}

// TestPlainConfig checks that an unmodified client can cross.
func TestPlainConfig(t *testing.T) {
	for name, cfg := range map[string]aws.Config{
		"zero":                  {},
		"as LoadDefaultConfig":  config(),
		"no HTTP client":        {Region: "us-east-1"},
		"anonymous":             {Region: "us-east-1", Credentials: aws.AnonymousCredentials{}},
		"cached anonymous":      {Region: "us-east-1", Credentials: aws.NewCredentialsCache(aws.AnonymousCredentials{})},
		"client of no settings": {HTTPClient: awshttp.NewBuildableClient().WithTransportOptions().WithDialerOptions()},
	} {
		t.Run(name, func(t *testing.T) {
			x := extract(t, cfg)
			if x.Foreign != nil {
				t.Errorf("got %v", x.Foreign)
			}
			wantSigned := cfg.Credentials != nil && !strings.Contains(name, "anonymous")
			if x.Settings.Client.Anonymous == wantSigned || (x.Credentials != nil) != wantSigned {
				t.Errorf("got Anonymous %v, credentials %T, want signed %v", x.Settings.Client.Anonymous, x.Credentials, wantSigned)
			}
		})
	}
}

// TestAllFaultsAtOnce checks that the error names every setting that cannot cross.
func TestAllFaultsAtOnce(t *testing.T) {
	cfg := config()
	cfg.APIOptions = append(cfg.APIOptions, noMiddleware)
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.DialTLS, t.Proxy = dialNothing, http.ProxyURL(nil)
		t.TLSClientConfig.MaxVersion = tls.VersionTLS13
	})
	x := extract(t, cfg, func(o *s3.Options) { o.TracerProvider = tracer{} })
	for _, name := range []string{"APIOptions", "DialTLS", "Proxy", "MaxVersion", "TracerProvider"} {
		if x.Foreign == nil || !strings.Contains(x.Foreign.Err().Error(), name) {
			t.Errorf("%s is not in %v", name, x.Foreign)
		}
	}
	if !strings.Contains(x.Foreign.Err().Error(), "WorkerCommand") {
		t.Errorf("nothing points to WorkerCommand in %v", x.Foreign)
	}
}

// TestLaterOptionWins checks that client options see, and override, the settings of the aws.Config.
func TestLaterOptionWins(t *testing.T) {
	cfg := config()
	cfg.ServiceOptions = append(cfg.ServiceOptions, func(id string, o any) {
		if id == s3.ServiceID {
			o.(*s3.Options).Region = "service"
		}
	})
	x := extract(t, cfg, func(o *s3.Options) { o.AppID = o.Region }, func(o *s3.Options) { o.Region += "-later" })
	if x.Settings.Client.AppID != "service" || x.Settings.Client.Region != "service-later" {
		t.Errorf("got %+v", x.Settings.Client)
	}
	if cfg.ServiceOptions == nil {
		t.Error("the caller's own config was changed")
	}
}

// TestSettingsOverJSON sets every field and checks that JSON preserves it.
func TestSettingsOverJSON(t *testing.T) {
	var want, got settings.Settings
	fill(t, reflect.ValueOf(&want).Elem())
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func fill(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.String:
		v.SetString("a \"string\"")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(200)
	case reflect.Int, reflect.Int64:
		v.SetInt(1 << 40)
	default:
		t.Errorf("%v cannot cross as JSON, or this test does not know it", v.Type())
	}
}
