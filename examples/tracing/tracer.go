package main

import (
	"context"
	"log/slog"
	"os"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	api "go.opentelemetry.io/otel/trace"

	"github.com/s3processpool/processpool"
)

// record returns a provider that appends its spans to a file. Each span is one write, so several
// processes may share the file. A service would use an OTLP exporter here.
func record(file, service string) (*trace.TracerProvider, func(), error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, nil, err
	}
	exporter, err := stdouttrace.New(stdouttrace.WithWriter(f))
	if err != nil {
		return nil, nil, err
	}
	provider := trace.NewTracerProvider(
		trace.WithSyncer(exporter), // a worker may be killed at any time
		trace.WithResource(resource.NewSchemaless(semconv.ServiceName(service), semconv.ProcessPID(os.Getpid()))),
	)
	return provider, func() {
		provider.Shutdown(context.Background())
		f.Close()
	}, nil
}

// tracer creates a span for each download, and adds log records about the download to it as events.
type tracer struct {
	tracer api.Tracer

	mu    sync.Mutex
	spans map[object]api.Span
}

type object struct{ bucket, key string }

func newTracer(provider api.TracerProvider) *tracer {
	return &tracer{tracer: provider.Tracer("processpool"), spans: map[object]api.Span{}}
}

// download starts a download, and returns a function that waits for its end.
func (t *tracer) download(ctx context.Context, d *processpool.Downloader, bucket, key, file string) (wait func() error) {
	ctx, span := t.tracer.Start(ctx, "download", api.WithAttributes(semconv.AWSS3Bucket(bucket), semconv.AWSS3Key(key)))
	t.mu.Lock()
	t.spans[object{bucket, key}] = span
	t.mu.Unlock()
	future := d.DownloadFile(ctx, bucket, key, file)
	return func() error {
		err := future.Result()
		defer span.End()
		if err != nil {
			span.RecordError(err)
			span.SetStatus(codes.Error, err.Error())
			return err
		}
		o := future.Object()
		span.SetAttributes(attribute.Int64("object.size", o.Size), attribute.String("object.etag", o.ETag),
			attribute.String("object.verified", o.Verified))
		return nil
	}
}

// logger returns a logger that adds events to the spans. Records that name an object are about
// failed attempts, for example, or about the ranges of a lost worker.
func (t *tracer) logger() *slog.Logger { return slog.New(&events{tracer: t}) }

type events struct {
	tracer *tracer
	attrs  []slog.Attr
}

func (e *events) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (e *events) Handle(_ context.Context, r slog.Record) error {
	var o object
	var attributes []attribute.KeyValue
	add := func(a slog.Attr) bool {
		switch a.Key {
		case "bucket":
			o.bucket = a.Value.String()
		case "key":
			o.key = a.Value.String()
		default:
			attributes = append(attributes, attribute.String(a.Key, a.Value.String()))
		}
		return true
	}
	for _, a := range e.attrs {
		add(a)
	}
	r.Attrs(add)
	e.tracer.mu.Lock()
	span := e.tracer.spans[o]
	e.tracer.mu.Unlock()
	if span != nil {
		span.AddEvent(r.Message, api.WithTimestamp(r.Time), api.WithAttributes(attributes...))
	}
	return nil
}

func (e *events) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &events{e.tracer, append(e.attrs[:len(e.attrs):len(e.attrs)], attrs...)}
}

// WithGroup ignores the group, because the records of the library have none.
func (e *events) WithGroup(string) slog.Handler { return e }
