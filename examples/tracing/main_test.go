package main

import (
	"errors"
	"path/filepath"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	api "go.opentelemetry.io/otel/trace"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// trace of downloads: the spans by name, and the requests of each download.
type spans struct {
	all      tracetest.SpanStubs
	requests map[api.SpanID][]tracetest.SpanStub // by the download's span
}

// record downloads with a tracer, and returns the spans.
func record(t *testing.T, origin *s3test.Server, pairs ...string) (spans, error) {
	t.Helper()
	exporter := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithSyncer(exporter))
	tracer := &tracer{Tracer: provider.Tracer("processpool"), parents: map[int64]api.Span{}}
	d, err := processpool.NewDownloader(origin.Config(), func(c *processpool.Config) {
		c.OnAttempt = tracer.attempt
		c.MaxRequestProcesses = 2
		c.MultipartThreshold, c.MultipartChunksize = 1000, 1000
		c.ClientOptions = append(c.ClientOptions, origin.ClientOptions())
	})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Shutdown()
	results := make(chan error)
	for i := 0; i < len(pairs); i += 2 {
		go func() { results <- tracer.download(t.Context(), d, "b", pairs[i], pairs[i+1]) }()
	}
	for range len(pairs) / 2 {
		err = errors.Join(err, <-results)
	}
	s := spans{exporter.GetSpans(), map[api.SpanID][]tracetest.SpanStub{}}
	for _, span := range s.all {
		if span.Parent.IsValid() {
			s.requests[span.Parent.SpanID()] = append(s.requests[span.Parent.SpanID()], span)
		}
	}
	return s, err
}

func start(t *testing.T) *s3test.Server {
	if !ipc.Available {
		t.Skip("no worker processes on this platform")
	}
	origin := s3test.Start()
	t.Cleanup(origin.Close)
	return origin
}

func value(s tracetest.SpanStub, key string) any {
	set := attribute.NewSet(s.Attributes...)
	v, ok := set.Value(attribute.Key(key))
	if !ok {
		return nil
	}
	return v.AsInterface()
}

// Two downloads of one key, at a time, have the requests of their own.
func TestTwoDownloadsOfOneKey(t *testing.T) {
	origin, dir := start(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 3000))
	s, err := record(t, origin, "k", filepath.Join(dir, "1"), "k", filepath.Join(dir, "2"))
	if err != nil {
		t.Fatal(err)
	}
	downloads := 0
	for _, d := range s.all {
		if d.Name != "download" {
			continue
		}
		downloads++
		var heads, bytes int64
		offsets := map[any]bool{}
		for _, r := range s.requests[d.SpanContext.SpanID()] {
			if r.SpanContext.TraceID() != d.SpanContext.TraceID() || r.StartTime.Before(d.StartTime) || r.EndTime.After(d.EndTime) {
				t.Errorf("got %+v in %+v", r, d)
			}
			if r.Name == "S3/HeadObject" {
				heads++
				continue
			}
			bytes += value(r, "http.response.body.size").(int64)
			offsets[value(r, "processpool.range.offset")] = true
		}
		if heads != 1 || bytes != 3000 || len(offsets) != 3 {
			t.Errorf("got %d HeadObject, %d bytes of %d ranges, want 1, 3000 of 3", heads, bytes, len(offsets))
		}
	}
	if downloads != 2 {
		t.Errorf("got %d downloads, want 2", downloads)
	}
}

// A failed attempt, and a missing key, in the names of the conventions.
func TestFailures(t *testing.T) {
	origin, dir := start(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 500))
	origin.Inject(s3test.Fault{Method: "GET", Key: "k", Status: 503, Times: 1})
	s, err := record(t, origin, "k", filepath.Join(dir, "good"), "none", filepath.Join(dir, "bad"))
	if err == nil {
		t.Error("missing key: got no error")
	}
	var gets []tracetest.SpanStub
	for _, r := range s.all {
		switch {
		case r.Name == "S3/GetObject" && value(r, "aws.s3.key") == "k":
			gets = append(gets, r)
		case r.Name == "download" && value(r, "aws.s3.key") == "none":
			if r.Status.Code != codes.Error || value(r, "error.type") != "NoSuchKey" {
				t.Errorf("bad: got %+v", r)
			}
		case r.Name == "download":
			if value(r, "object.verified") != "CRC64NVME full object" || value(r, "object.size") != int64(500) {
				t.Errorf("good: got %+v", r)
			}
		}
	}
	if len(gets) != 2 {
		t.Fatalf("got %d requests, want 2", len(gets))
	}
	for key, want := range map[string][2]any{
		"rpc.system":                {"aws-api", "aws-api"},
		"rpc.service":               {"S3", "S3"},
		"rpc.method":                {"GetObject", "GetObject"},
		"aws.s3.bucket":             {"b", "b"},
		"http.response.status_code": {int64(503), int64(200)},
		"http.request.resend_count": {int64(0), int64(1)},
		"error.type":                {"SlowDown", nil},
	} {
		for i, r := range gets {
			if got := value(r, key); got != want[i] {
				t.Errorf("%s of request %d: got %v, want %v", key, i+1, got, want[i])
			}
		}
	}
	for _, r := range gets {
		if value(r, "aws.request_id") == nil || r.SpanKind != api.SpanKindClient {
			t.Errorf("got %+v", r)
		}
	}
}
