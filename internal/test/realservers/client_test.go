//go:build realservers && linux

package realservers

import (
	"bytes"
	"crypto/x509"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
)

// config returns settings like those of config.LoadDefaultConfig.
func (s *server) config() aws.Config {
	return aws.Config{
		Region:                     "us-east-1",
		BaseEndpoint:               aws.String(s.url),
		Credentials:                credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}
}

func pathStyle(o *s3.Options) { o.UsePathStyle = true }

// newClient returns a client of the SDK that keeps no idle connections, which the leak check would
// find.
func newClient(s *server) *s3.Client {
	cfg := s.config()
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.DisableKeepAlives = true
		if s.caPEM != nil {
			t.TLSClientConfig.RootCAs = x509.NewCertPool()
			t.TLSClientConfig.RootCAs.AppendCertsFromPEM(s.caPEM)
		}
	})
	return s3.NewFromConfig(cfg, pathStyle)
}

// newDownloader returns a Downloader with few workers that trusts the server. It is shut down at
// the end of the test.
func newDownloader(t *testing.T, s *server, optFns ...func(*processpool.Config)) *processpool.Downloader {
	t.Helper()
	return newDownloaderOf(t, s.config(), s, optFns...)
}

// newDownloaderOf is newDownloader with another aws.Config than that of the server.
func newDownloaderOf(t *testing.T, cfg aws.Config, s *server, optFns ...func(*processpool.Config)) *processpool.Downloader {
	t.Helper()
	j := &journal{}
	d, err := processpool.NewDownloader(cfg, append([]func(*processpool.Config){func(c *processpool.Config) {
		c.MaxRequestProcesses = 4
		c.ClientOptions = []func(*s3.Options){pathStyle}
		c.CABundle = s.caPEM
		c.Logger = j.logger()
	}}, optFns...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Shutdown(); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if t.Failed() {
			t.Logf("log of the Downloader:\n%s", j)
		}
	})
	return d
}

// journal keeps the log of a Downloader.
type journal struct {
	mu struct {
		sync.Mutex
		text bytes.Buffer
	}
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.text.String()
}

// count returns how often a message was logged.
func (j *journal) count(message string) int {
	return strings.Count(j.String(), "msg=\""+message+"\"")
}
