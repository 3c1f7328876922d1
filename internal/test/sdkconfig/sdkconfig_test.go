//go:build unix

package sdkconfig_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
)

// The program of README.md compiles: it is readme/main.go.
func TestReadmeProgram(t *testing.T) {
	document, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	pieces := strings.Split(string(document), "```go\n")
	if len(pieces) != 2 {
		t.Fatalf("got %d pieces of Go in README.md, want 1", len(pieces)-1)
	}
	program, err := os.ReadFile("readme/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if piece, _, _ := strings.Cut(pieces[1], "```"); piece != string(program) {
		t.Errorf("README.md has another program than readme/main.go:\n%s", piece)
	}
}

// endpoint_url of the environment, and ignore_configured_endpoint_urls. An HTTP proxy sees which host
// is asked; through it every host has the object.
func TestPortingConfiguredEndpoint(t *testing.T) {
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.URL.Host:
		default: // only the first counts
		}
		w.Header().Set("ETag", `"e"`)
		http.ServeContent(w, r, "", time.Unix(1, 0), strings.NewReader("content"))
	}))
	defer proxy.Close()
	dir := t.TempDir()
	for name, value := range map[string]string{
		"HTTP_PROXY": proxy.URL, "http_proxy": proxy.URL, "NO_PROXY": "", "no_proxy": "",
		"AWS_ENDPOINT_URL_S3":         "http://store.test",
		"AWS_CONFIG_FILE":             filepath.Join(dir, "none"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "none"),
		"AWS_PROFILE":                 "",
	} {
		t.Setenv(name, value)
	}
	for ignore, want := range map[string]string{"false": "bucket.store.test", "true": "bucket.s3.us-east-1.amazonaws.com"} {
		t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", ignore)
		cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"),
			config.WithCredentialsProvider(aws.AnonymousCredentials{}))
		if err != nil {
			t.Fatal(err)
		}
		d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) {
			c.MaxRequestProcesses = 1
			c.ClientOptions = append(c.ClientOptions, func(o *s3.Options) { o.EndpointOptions.DisableHTTPS = true })
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.DownloadFile(t.Context(), "bucket", "k", filepath.Join(dir, "file")).Result()
		d.Shutdown()
		if err != nil {
			t.Fatal(err)
		}
		if got := <-asked; got != want {
			t.Errorf("ignored %s: got host %s, want %s", ignore, got, want)
		}
	}
}
