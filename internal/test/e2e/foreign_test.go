package e2e_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

type ownTracer struct{ tracing.TracerProvider }

// instrumented is what a program with OpenTelemetry does to its client.
func instrumented(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, func(*middleware.Stack) error { return nil })
	o.TracerProvider = ownTracer{o.TracerProvider}
	o.HTTPClient = &http.Client{}
}

// wantWarned fails the test unless one record, a warning, names all settings.
func wantWarned(t *testing.T, log *harness.Log, words ...string) {
	t.Helper()
	if n := strings.Count(log.String(), "cannot cross"); n != 1 {
		t.Errorf("got %d records in %s, want one", n, log.String())
	}
	for _, word := range append(words, `"level":"WARN"`) {
		if !strings.Contains(log.String(), word) {
			t.Errorf("got log %s, want %s in it", log.String(), word)
		}
	}
}

// With ForeignWarn the settings are no error, one warning names them, and downloads do without.
func TestForeignWarn(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	data := s3test.PatternBytes(1, 1000)
	origin.Put("b", "k", data)
	var log harness.Log
	d := harness.NewDownloader(t, origin, log.Config, func(c *processpool.Config) {
		c.Foreign = processpool.ForeignWarn
		c.ClientOptions = append(c.ClientOptions, instrumented)
	})
	wantWarned(t, &log, "APIOptions", "TracerProvider", "HTTPClient (*http.Client)")
	file := filepath.Join(dir, "file")
	if err := harness.Download(t, d, "k", file); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	wantWarned(t, &log) // not once more
}

// Each setting alone is left out and named.
func TestForeignWarnEach(t *testing.T) {
	leak.Check(t)
	for _, setting := range foreign {
		t.Run(setting.word, func(t *testing.T) {
			var log harness.Log
			_, err := processpool.NewDownloader(aws.Config{Region: "us-east-1"}, log.Config, func(c *processpool.Config) {
				c.Foreign = processpool.ForeignWarn
				c.ClientOptions = []func(*s3.Options){setting.change}
			})
			if err != nil {
				t.Fatal(err)
			}
			wantWarned(t, &log, strings.TrimSpace(setting.word))
		})
	}
}

// The refusal names the ways out.
func TestForeignRefuse(t *testing.T) {
	wantConfigError(t, aws.Config{Region: "us-east-1"}, func(c *processpool.Config) {
		c.ClientOptions = []func(*s3.Options){instrumented}
	}, "APIOptions", "TracerProvider", "HTTPClient", "ForeignWarn", "OnAttempt", "WorkerCommand")
}

// A client from a plain configuration works, with its credentials and its endpoint.
func TestNewFromClient(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t, func(o *s3test.Options) { o.AccessKey, o.SecretKey = "AKIDONE", "secret" }), t.TempDir()
	data := s3test.PatternBytes(1, 100)
	origin.Put("b", "k", data)
	p := &harness.Provider{Give: func(int32) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIDONE", SecretAccessKey: "secret"}, nil
	}}
	cfg := origin.Config()
	cfg.Credentials = p
	client := s3.NewFromConfig(cfg, origin.ClientOptions())
	d, err := processpool.NewFromClient(client, harness.Processes(2), harness.Multipart(10, 10))
	if err != nil {
		t.Fatal(err)
	}
	defer harness.Shutdown(t, d)
	file := filepath.Join(dir, "file")
	if err := harness.Download(t, d, "k", file); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if n := p.Calls(); n != 1 {
		t.Errorf("the provider was asked %d times, want once", n)
	}
}

// What the caller has put into the client is refused, with all other faults, or left out.
func TestNewFromClientForeign(t *testing.T) {
	leak.Check(t)
	client := s3.NewFromConfig(aws.Config{}, instrumented)
	zero := func(c *processpool.Config) { c.MaxRequestProcesses = 0 }
	_, err := processpool.NewFromClient(client, zero)
	if err == nil {
		t.Fatal("got no error")
	}
	for _, word := range []string{"APIOptions", "TracerProvider", "HTTPClient", "no region", "MaxRequestProcesses is 0", "ForeignWarn"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got %q, want %q in it", err, word)
		}
	}
	for _, word := range []string{"Retryer", "AuthScheme", "MeterProvider", "Express", "Signer", "Endpoint"} {
		if strings.Contains(err.Error(), word+" cannot") {
			t.Errorf("got %q: %s is the SDK's own", err, word)
		}
	}
	var log harness.Log
	client = s3.NewFromConfig(aws.Config{Region: "us-east-1"}, instrumented)
	warn := func(c *processpool.Config) { c.Foreign = processpool.ForeignWarn }
	if _, err := processpool.NewFromClient(client, log.Config, warn); err != nil {
		t.Fatal(err)
	}
	wantWarned(t, &log, "APIOptions", "TracerProvider", "HTTPClient (*http.Client)")
}

func TestNewFromNoClient(t *testing.T) {
	if _, err := processpool.NewFromClient(nil); err == nil || !strings.Contains(err.Error(), "client is nil") {
		t.Errorf("got %v, want an error that says so", err)
	}
}
