package faults_test

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// alerting serves an origin over TLS. It answers the first handshakes with an alert.
func alerting(t *testing.T, origin *s3test.Server, alerts int32) (s *httptest.Server, seen *atomic.Int32) {
	seen = new(atomic.Int32)
	s = httptest.NewUnstartedServer(origin)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if seen.Add(1) <= alerts {
			return nil, errors.New("not now") // the client sees an alert
		}
		return nil, nil
	}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, seen
}

// A handshake that ends in an alert is retried like a connection that breaks off.
func TestFaultTLSAlert(t *testing.T) {
	for _, alerts := range []int32{2, 1000} {
		t.Run(fmt.Sprintf("alerts=%d", alerts), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			s, seen := alerting(t, origin, alerts)
			cfg := origin.Config()
			cfg.BaseEndpoint = aws.String(s.URL)
			d := harness.NewDownloaderOf(t, origin, cfg, harness.Processes(1), func(c *processpool.Config) {
				c.MaxAttempts = 3
				c.CABundle = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
			})
			err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
			if alerts == 2 {
				if err != nil {
					t.Fatal(err)
				}
				harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
				leak.Files(t, dir, "file")
				return
			}
			harness.WantError(t, err, processpool.ErrRetriesExceeded)
			if !strings.Contains(err.Error(), "tls: ") || seen.Load() != 3 {
				t.Errorf("got %v after %d handshakes, want TLS's word after 3", err, seen.Load())
			}
			leak.Files(t, dir)
			seen.Store(alerts) // from now on it serves
			harness.WantNext(t, origin, d)
		})
	}
}

// A certificate of an unknown authority is refused without a retry.
func TestFaultOtherAuthority(t *testing.T) {
	leak.Check(t)
	secure := func(o *s3test.Options) { o.TLS = true }
	origin, other, dir := harness.StartOrigin(t, secure), harness.StartOrigin(t, secure), t.TempDir()
	origin.Put("b", "k", harness.Content)
	// One worker: a second one may open connections beforehand.
	d := harness.NewDownloader(t, origin, harness.Processes(1), func(c *processpool.Config) { c.CABundle = other.CAPEM() })
	err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
	harness.WantError(t, err)
	if errors.Is(err, processpool.ErrRetriesExceeded) || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("got %v, want that the authority is unknown, at once", err)
	}
	if n := origin.Connections(); n != 1 {
		t.Errorf("got %d connections, want 1", n)
	}
	leak.Files(t, dir)
}
