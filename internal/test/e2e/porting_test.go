package e2e_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// amazon is an HTTP proxy. Through it every host is S3 and has every object.
type amazon struct {
	*httptest.Server

	mu   sync.Mutex
	seen []*http.Request
}

func startAmazon(t *testing.T) *amazon {
	t.Helper()
	if !ipc.Available {
		t.Skip("no worker processes on this platform")
	}
	a := &amazon{}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, a.URL)
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		t.Setenv(name, "")
	}
	return a
}

func (a *amazon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.seen = append(a.seen, r)
	a.mu.Unlock()
	if r.Method == http.MethodConnect {
		http.Error(w, "no tunnels here", http.StatusForbidden)
		return
	}
	w.Header().Set("ETag", `"e"`)
	http.ServeContent(w, r, "", time.Unix(1, 0), bytes.NewReader(harness.Content))
}

// first returns the first request that the proxy received.
func (a *amazon) first(t *testing.T) *http.Request {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seen) == 0 {
		t.Fatal("no request came")
	}
	return a.seen[0]
}

// porting is the equivalent of a key of client_kwargs, or of the Config of botocore.
type porting struct {
	config func(*aws.Config)
	client func(*s3.Options)
	pool   func(*processpool.Config)
}

// downloader returns a Downloader with one worker and one attempt, for the aws.Config of a program
// in us-east-1. It uses plain HTTP, so that a proxy sees whole requests.
func (p porting) downloader(cfg aws.Config) (*processpool.Downloader, error) {
	if p.config != nil {
		p.config(&cfg)
	}
	return processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.MaxRequestProcesses, c.MaxAttempts = 1, 1
		c.ClientOptions = append(c.ClientOptions, func(o *s3.Options) { o.EndpointOptions.DisableHTTPS = true })
		if p.client != nil {
			c.ClientOptions = append(c.ClientOptions, p.client)
		}
		if p.pool != nil {
			p.pool(c)
		}
	})
}

func portingConfig() aws.Config {
	return aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", "")}
}

// The settings that decide the destination and the headers of a request.
func TestPortingRequest(t *testing.T) {
	type request = http.Request
	host := func(r *request) string { return r.URL.Scheme + "://" + r.URL.Host + r.URL.Path }
	header := func(name string) func(*request) string {
		return func(r *request) string { return "[" + r.Header.Get(name) + "]" }
	}
	for _, c := range []struct {
		key string
		porting
		see  func(*request) string
		want string
	}{
		{"region_name", porting{config: func(c *aws.Config) { c.Region = "eu-west-1" }}, host,
			"http://bucket.s3.eu-west-1.amazonaws.com/k"},
		{"endpoint_url", porting{config: func(c *aws.Config) { c.BaseEndpoint = aws.String("http://store.test:9000") }}, host,
			"http://bucket.store.test:9000/k"},
		{"use_ssl=True", porting{client: func(o *s3.Options) { o.EndpointOptions.DisableHTTPS = false }},
			func(r *request) string { return r.Method + " " + r.Host }, "CONNECT bucket.s3.us-east-1.amazonaws.com:443"},
		{"use_ssl=False", porting{}, host, "http://bucket.s3.us-east-1.amazonaws.com/k"},
		{"proxies", porting{}, func(r *request) string { return r.RequestURI }, "http://bucket.s3.us-east-1.amazonaws.com/k"},
		{"aws_access_key_id, aws_secret_access_key", porting{config: func(c *aws.Config) {
			c.Credentials = credentials.NewStaticCredentialsProvider("AKIDPORTED", "secret", "")
		}}, header("Authorization"), "Credential=AKIDPORTED/"},
		{"aws_session_token", porting{config: func(c *aws.Config) {
			c.Credentials = credentials.NewStaticCredentialsProvider("AKID", "secret", "token")
		}}, header("X-Amz-Security-Token"), "[token]"},
		{"signature_version=UNSIGNED", porting{config: func(c *aws.Config) { c.Credentials = aws.AnonymousCredentials{} }},
			header("Authorization"), "[]"},
		{"signature_version=s3v4", porting{}, header("Authorization"), "AWS4-HMAC-SHA256"},
		{"s3.addressing_style=auto, virtual", porting{}, host, "http://bucket.s3.us-east-1.amazonaws.com/k"},
		{"s3.addressing_style=path", porting{client: func(o *s3.Options) { o.UsePathStyle = true }}, host,
			"http://s3.us-east-1.amazonaws.com/bucket/k"},
		{"s3.use_accelerate_endpoint", porting{client: func(o *s3.Options) { o.UseAccelerate = true }}, host,
			"http://bucket.s3-accelerate.amazonaws.com/k"},
		{"use_dualstack_endpoint", porting{client: func(o *s3.Options) {
			o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
		}}, host, "http://bucket.s3.dualstack.us-east-1.amazonaws.com/k"},
		{"use_fips_endpoint", porting{client: func(o *s3.Options) {
			o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
		}}, host, "http://bucket.s3-fips.us-east-1.amazonaws.com/k"},
		{"user_agent_extra, user_agent_appid", porting{config: func(c *aws.Config) { c.AppID = "ported" }},
			(*request).UserAgent, "app/ported"},
		{"response_checksum_validation=when_supported", porting{}, header("X-Amz-Checksum-Mode"), "[ENABLED]"},
		{"response_checksum_validation=when_required", porting{pool: func(c *processpool.Config) {
			c.Verify = processpool.VerifyOff
		}}, header("X-Amz-Checksum-Mode"), "[]"},
	} {
		t.Run(c.key, func(t *testing.T) {
			leak.Check(t)
			a, dir := startAmazon(t), t.TempDir()
			d, err := c.downloader(portingConfig())
			if err != nil {
				t.Fatal(err)
			}
			defer harness.Shutdown(t, d)
			err = harness.Result(t, d.DownloadFile(t.Context(), "bucket", "k", filepath.Join(dir, "file")))
			r := a.first(t)
			if got := c.see(r); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q in it", got, c.want)
			}
			if r.Method != http.MethodConnect && err != nil {
				t.Error(err)
			}
		})
	}
}

// s3.use_arn_region: an access point is requested in the region of its ARN.
func TestPortingARNRegion(t *testing.T) {
	leak.Check(t)
	a, dir := startAmazon(t), t.TempDir()
	const arn = "arn:aws:s3:eu-west-1:111122223333:accesspoint/point"
	for _, use := range []bool{true, false} {
		d, err := porting{client: func(o *s3.Options) { o.UseARNRegion = use }}.downloader(portingConfig())
		if err != nil {
			t.Fatal(err)
		}
		err = harness.Result(t, d.DownloadFile(t.Context(), arn, "k", filepath.Join(dir, "file")))
		harness.Shutdown(t, d)
		if use {
			if got := a.first(t).URL.Host; err != nil || got != "point-111122223333.s3-accesspoint.eu-west-1.amazonaws.com" {
				t.Errorf("got host %s and error %v", got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "region") {
			t.Errorf("not used: got error %v, want one about the region", err)
		}
	}
}

// A setting without an equivalent is an error that names it, and is never ignored.
func TestPortingRefused(t *testing.T) {
	transport := func(set func(*http.Transport)) porting {
		return porting{config: func(c *aws.Config) {
			c.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(set)
		}}
	}
	for _, c := range []struct {
		key string
		porting
		want string
	}{
		{"proxies, of the transport", transport(func(t *http.Transport) { t.Proxy = http.ProxyURL(nil) }), "HTTPS_PROXY"},
		{"proxies_config", transport(func(t *http.Transport) { t.ProxyConnectHeader = http.Header{"A": {"b"}} }), "ProxyConnectHeader"},
		{"client_cert", transport(func(t *http.Transport) {
			t.TLSClientConfig.Certificates = []tls.Certificate{{}}
		}), "Certificates"},
		{"user_agent", porting{client: func(o *s3.Options) {
			o.APIOptions = append(o.APIOptions, func(*middleware.Stack) error { return nil })
		}}, "WorkerCommand"},
		{"max_pool_connections=0", porting{pool: func(c *processpool.Config) { c.RequestsPerProcess = 0 }}, "RequestsPerProcess"},
		{"connect_timeout and read_timeout in one", porting{config: func(c *aws.Config) {
			c.HTTPClient = awshttp.NewBuildableClient().WithTimeout(time.Minute)
		}}, "StallTimeout"},
		{"no region_name", porting{config: func(c *aws.Config) { c.Region = "" }}, "AWS_REGION"},
	} {
		t.Run(c.key, func(t *testing.T) {
			_, err := c.downloader(portingConfig())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// verify: False, or the name of a bundle.
func TestPortingVerify(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t, func(o *s3test.Options) { o.TLS = true }), t.TempDir()
	origin.Put("b", "k", harness.Content)
	https := func(o *s3.Options) { o.UsePathStyle, o.EndpointOptions.DisableHTTPS = true, false }
	for key, p := range map[string]porting{
		"verify=False": {config: func(c *aws.Config) {
			c.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
				t.TLSClientConfig.InsecureSkipVerify = true
			})
		}},
		"verify=path": {pool: func(c *processpool.Config) { c.CABundle = origin.CAPEM() }},
	} {
		p.client = https
		d, err := p.downloader(origin.Config())
		if err != nil {
			t.Fatal(err)
		}
		if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		harness.Shutdown(t, d)
	}
}

// connect_timeout and read_timeout, each with a value that has a visible effect.
func TestPortingTimeouts(t *testing.T) {
	client := func(c *awshttp.BuildableClient) porting {
		return porting{config: func(cfg *aws.Config) { cfg.HTTPClient = c }}
	}
	for _, c := range []struct {
		key string
		porting
		want func(error) bool
	}{
		{"connect_timeout", client(awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Timeout = 1 })),
			func(err error) bool { return strings.Contains(err.Error(), "dial tcp") }},
		{"read_timeout", client(awshttp.NewBuildableClient().WithReadTimeout(50 * time.Millisecond)),
			func(err error) bool { return errors.Is(err, processpool.ErrStalled) }},
	} {
		t.Run(c.key, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			origin.Inject(s3test.Fault{Method: "GET", Stall: true})
			c.client = origin.ClientOptions()
			d, err := c.downloader(origin.Config())
			if err != nil {
				t.Fatal(err)
			}
			defer harness.Shutdown(t, d)
			if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err == nil || !c.want(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// retries: total_max_attempts and mode.
func TestPortingRetries(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "HEAD", Status: 500})
	for _, mode := range []aws.RetryMode{aws.RetryModeStandard, aws.RetryModeAdaptive} {
		cfg := origin.Config()
		cfg.RetryMaxAttempts, cfg.RetryMode = 2, mode
		origin.ResetRequests()
		d := harness.NewDownloaderOf(t, origin, cfg)
		harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), processpool.ErrRetriesExceeded)
		if got := len(origin.Requests()); got != 2 {
			t.Errorf("%s: got %d requests, want 2", mode, got)
		}
	}
}

// max_pool_connections applies to each worker.
func TestPortingMaxPoolConnections(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate})
	d := harness.NewDownloader(t, origin, harness.Multipart(2, 2), harness.Processes(1), func(c *processpool.Config) { c.RequestsPerProcess = 4 })
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 4, "GET")
	close(gate)
	if err := harness.Result(t, f); err != nil {
		t.Error(err)
	}
	if got := origin.MaxInFlight(); got != 4 {
		t.Errorf("got %d requests at once, want 4", got)
	}
}
