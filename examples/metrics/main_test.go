package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// The test scrapes the metrics while a download waits for its origin, and then checks the file.
func TestMetrics(t *testing.T) {
	if !ipc.Available {
		t.Skip("no worker processes on this platform")
	}
	origin := s3test.Start()
	defer origin.Close()
	data, gate := s3test.PatternBytes(1, 1000), make(chan struct{})
	origin.Put("b", "k", data)
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, done := filepath.Join(t.TempDir(), "file"), make(chan error)
	go func() {
		done <- download(t.Context(), origin.Config(), ln, []string{"s3://b/k", file}, func(c *processpool.Config) {
			c.MaxRequestProcesses = 1
			c.ClientOptions = append(c.ClientOptions, origin.ClientOptions())
		})
	}()
	waiting := func(r s3test.Request) bool { return r.Method == "GET" }
	if err := origin.WaitRequests(t.Context(), 1, waiting); err != nil {
		t.Fatal(err)
	}
	got := ""
	for told := `operation="HeadObject",status="200"`; !strings.Contains(got, told); { // of the request that has ended
		got = scrape(t, "http://"+ln.Addr().String()+"/metrics")
	}
	for _, want := range []string{
		`processpool_downloads{state="active"} 1`,
		`processpool_downloads_total{outcome="done"} 0`,
		`processpool_workers 1`,
		`processpool_written_bytes_total 0`,
		`processpool_request_duration_seconds_count{operation="HeadObject",status="200"} 1`,
		`processpool_received_bytes_total{operation="HeadObject"} 0`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	close(gate)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %d bytes and error %v, want the object's %d", len(got), err, len(data))
	}
}

// Names, help texts and units follow the conventions of Prometheus.
func TestConventions(t *testing.T) {
	registry := prometheus.NewRegistry()
	var c processpool.Config
	attempts(registry)(&c)
	c.OnAttempt(processpool.Attempt{Operation: "GetObject", StatusCode: 206, Bytes: 10})
	pool(registry, func() processpool.Stats { return processpool.Stats{Done: 7} })
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("got %v, error %v", problems, err)
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP processpool_downloads_total Downloads that have ended.
# TYPE processpool_downloads_total counter
processpool_downloads_total{outcome="done"} 7
processpool_downloads_total{outcome="failed"} 0
# HELP processpool_received_bytes_total Bytes of bodies that were read.
# TYPE processpool_received_bytes_total counter
processpool_received_bytes_total{operation="GetObject"} 10
`), "processpool_downloads_total", "processpool_received_bytes_total"); err != nil {
		t.Error(err)
	}
}

func scrape(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
