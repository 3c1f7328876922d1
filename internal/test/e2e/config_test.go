package e2e_test

import (
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// named is a change to a configuration, with the word that its error must contain.
type named[C any] struct {
	word   string
	change func(C)
}

// badValues are faults in a Config that can be combined.
var badValues = []named[*processpool.Config]{
	{"MultipartThreshold is 0", func(c *processpool.Config) { c.MultipartThreshold = 0 }},
	{"MultipartThreshold is -1", func(c *processpool.Config) { c.MultipartThreshold = -1 }},
	{"MultipartChunksize is 0", func(c *processpool.Config) { c.MultipartChunksize = 0 }},
	{"MultipartChunksize is -8388608", func(c *processpool.Config) { c.MultipartChunksize = -8388608 }},
	{"MaxRequestProcesses is 0", func(c *processpool.Config) { c.MaxRequestProcesses = 0 }},
	{"MaxRequestProcesses is -1", func(c *processpool.Config) { c.MaxRequestProcesses = -1 }},
	{"MaxRequestProcesses is 1000000", func(c *processpool.Config) { c.MaxRequestProcesses = 1000000 }},
	{"RequestsPerProcess is 0", func(c *processpool.Config) { c.RequestsPerProcess = 0 }},
	{"RequestsPerProcess is -1", func(c *processpool.Config) { c.RequestsPerProcess = -1 }},
	{"MaxAttempts is 0", func(c *processpool.Config) { c.MaxAttempts = 0 }},
	{"MaxAttempts is -1", func(c *processpool.Config) { c.MaxAttempts = -1 }},
	{"RetryTimeout is -1ns", func(c *processpool.Config) { c.RetryTimeout = -1 }},
	{"StallTimeout is 0s", func(c *processpool.Config) { c.StallTimeout = 0 }},
	{"StallTimeout is -1ns", func(c *processpool.Config) { c.StallTimeout = -1 }},
	{"Verify is VerifyMode(-1)", func(c *processpool.Config) { c.Verify = -1 }},
	{"Verify is VerifyMode(4)", func(c *processpool.Config) { c.Verify = 4 }},
	{"CABundle", func(c *processpool.Config) { c.CABundle = []byte("no certificate") }},
	{"WorkerCommand", func(c *processpool.Config) { c.WorkerCommand = []string{} }},
	{"WorkerCommand", func(c *processpool.Config) { c.WorkerCommand = []string{""} }},
	{"Foreign is ForeignMode(2)", func(c *processpool.Config) { c.Foreign = 2 }},
	{"ClientOptions[0]", func(c *processpool.Config) { c.ClientOptions = []func(*s3.Options){nil} }},
}

// NewDownloader refuses invalid values, and names each of them.
func TestConfigValues(t *testing.T) {
	leak.Check(t)
	for _, fault := range badValues {
		t.Run(fault.word, func(t *testing.T) {
			wantConfigError(t, aws.Config{Region: "us-east-1"}, fault.change, fault.word)
		})
	}
}

func wantConfigError(t *testing.T, cfg aws.Config, change func(*processpool.Config), words ...string) {
	t.Helper()
	d, err := processpool.NewDownloader(cfg, change)
	if err == nil || d != nil {
		t.Fatalf("got a Downloader %v, error %v, want none and an error that names %q", d != nil, err, words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got error %q, want one that names %q", err, word)
		}
	}
}

// foreign are settings that contain code, which cannot be passed to another process.
var foreign = []named[*s3.Options]{
	{"APIOptions", func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, func(*middleware.Stack) error { return nil })
	}},
	{"HTTPClient (*http.Client)", func(o *s3.Options) { o.HTTPClient = &http.Client{} }},
	{"EndpointResolver ", func(o *s3.Options) {
		//lint:ignore SA1019 as old programs do
		o.EndpointResolver = s3.EndpointResolverFromURL("http://127.0.0.1")
	}},
	{"EndpointResolverV2", func(o *s3.Options) { o.EndpointResolverV2 = ownResolver{o.EndpointResolverV2} }},
	{"Retryer", func(o *s3.Options) { o.Retryer = retry.NewStandard() }},
	{"HTTPSignerV4", func(o *s3.Options) { o.HTTPSignerV4 = ownSigner{o.HTTPSignerV4} }},
}

type ownResolver struct{ s3.EndpointResolverV2 }

type ownSigner struct{ s3.HTTPSignerV4 }

// A setting that cannot be passed is an error that names it and WorkerCommand. It is never ignored.
func TestConfigForeignSettings(t *testing.T) {
	leak.Check(t)
	for _, setting := range foreign {
		t.Run(setting.word, func(t *testing.T) {
			wantConfigError(t, aws.Config{Region: "us-east-1"}, func(c *processpool.Config) {
				c.ClientOptions = []func(*s3.Options){setting.change}
			}, setting.word, "WorkerCommand")
		})
	}
	for _, setting := range []named[*aws.Config]{
		{"APIOptions", func(c *aws.Config) {
			c.APIOptions = []func(*middleware.Stack) error{func(*middleware.Stack) error { return nil }}
		}},
		{"HTTPClient", func(c *aws.Config) { c.HTTPClient = &http.Client{} }},
		{"Proxy", func(c *aws.Config) {
			c.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.Proxy = http.ProxyURL(nil) })
		}},
		{"RootCAs", func(c *aws.Config) {
			c.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
				t.TLSClientConfig = t.TLSClientConfig.Clone()
				t.TLSClientConfig.RootCAs = x509.NewCertPool()
			})
		}},
		{"timeout", func(c *aws.Config) { c.HTTPClient = awshttp.NewBuildableClient().WithTimeout(time.Minute) }},
		{"Retryer", func(c *aws.Config) { c.Retryer = func() aws.Retryer { return retry.NewStandard() } }},
		{"EndpointResolver", func(c *aws.Config) {
			//lint:ignore SA1019 as old programs do
			type endpoint = aws.Endpoint
			//lint:ignore SA1019 the same
			c.EndpointResolverWithOptions = aws.EndpointResolverWithOptionsFunc(
				func(string, string, ...any) (endpoint, error) { return endpoint{URL: "http://127.0.0.1"}, nil })
		}},
		{"APIOptions", func(c *aws.Config) {
			c.ServiceOptions = []func(string, any){func(_ string, o any) { foreign[0].change(o.(*s3.Options)) }}
		}},
	} {
		t.Run("aws.Config "+setting.word, func(t *testing.T) {
			cfg := aws.Config{Region: "us-east-1"}
			setting.change(&cfg)
			wantConfigError(t, cfg, func(*processpool.Config) {}, setting.word)
		})
	}
}

// One error reports all faults: values, settings and missing settings.
func TestConfigFaultsTogether(t *testing.T) {
	leak.Check(t)
	t.Setenv("AWS_CA_BUNDLE", filepath.Join(t.TempDir(), "missing.pem"))
	words := []string{"MultipartThreshold is 0", "MaxRequestProcesses is -1", "StallTimeout is 0s",
		"APIOptions", "Retryer", "HTTPClient", "no region", "AWS_CA_BUNDLE"}
	wantConfigError(t, aws.Config{}, func(c *processpool.Config) {
		c.MultipartThreshold, c.MaxRequestProcesses, c.StallTimeout = 0, -1, 0
		for _, setting := range foreign {
			c.ClientOptions = append(c.ClientOptions, setting.change)
		}
	}, words...)
}

// With WorkerCommand the settings belong to that program, and a warning names them.
func TestConfigForeignSettingsOfWorkerCommand(t *testing.T) {
	leak.Check(t)
	var log harness.Log
	_, err := processpool.NewDownloader(aws.Config{Region: "us-east-1"}, func(c *processpool.Config) {
		c.ClientOptions = []func(*s3.Options){foreign[0].change}
		c.WorkerCommand = []string{os.Args[0]}
		log.Config(c)
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "APIOptions") {
		t.Errorf("got log %q, want a warning that names APIOptions", log.String())
	}
}

// The file that AWS_CA_BUNDLE names has the limit of CABundle. Without it, workers would not start.
func TestConfigLargeBundleOfEnvironment(t *testing.T) {
	name := filepath.Join(t.TempDir(), "large.pem")
	if err := os.WriteFile(name, make([]byte, 9<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", name)
	wantConfigError(t, aws.Config{Region: "us-east-1"}, func(*processpool.Config) {}, "AWS_CA_BUNDLE", "9437184 bytes")
}
