package main

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"

	"github.com/aws/smithy-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	api "go.opentelemetry.io/otel/trace"

	"github.com/s3processpool/processpool"
)

// tracer makes a span for each download, and one for each of its requests.
type tracer struct {
	tracer api.Tracer

	mu    sync.Mutex
	spans map[int64]api.Span // of the downloads under way, by TransferID
}

func newTracer(provider api.TracerProvider) *tracer {
	return &tracer{tracer: provider.Tracer("processpool"), spans: map[int64]api.Span{}}
}

// download starts a download, and returns a function that waits for its end.
func (t *tracer) download(ctx context.Context, d *processpool.Downloader, bucket, key, file string) (wait func() error) {
	ctx, span := t.tracer.Start(ctx, "download", api.WithAttributes(semconv.AWSS3Bucket(bucket), semconv.AWSS3Key(key)))
	t.mu.Lock() // attempt waits for it, so that it finds the span
	future := d.DownloadFile(ctx, bucket, key, file)
	id := future.Meta().TransferID
	t.spans[id] = span
	t.mu.Unlock()
	return func() error {
		err := future.Result() // attempt was told of all requests by now
		t.mu.Lock()
		delete(t.spans, id)
		t.mu.Unlock()
		defer span.End()
		if err != nil {
			fail(span, err)
			return err
		}
		o := future.Object()
		span.SetAttributes(attribute.Int64("object.size", o.Size), attribute.String("object.etag", o.ETag),
			attribute.String("object.verified", o.Verified))
		return nil
	}
}

// attempt makes the span of a request that has ended, with the names of OpenTelemetry's conventions for
// S3 (https://opentelemetry.io/docs/specs/semconv/object-stores/s3/) and for HTTP. It is an OnAttempt.
func (t *tracer) attempt(a processpool.Attempt) {
	t.mu.Lock()
	parent := t.spans[a.TransferID]
	t.mu.Unlock()
	ctx := context.Background()
	if parent != nil { // not of a listing
		ctx = api.ContextWithSpan(ctx, parent)
	}
	attributes := []attribute.KeyValue{
		semconv.RPCSystemKey.String("aws-api"), semconv.RPCService("S3"), semconv.RPCMethod(a.Operation),
		semconv.AWSS3Bucket(a.Bucket), semconv.AWSS3Key(a.Key),
		semconv.HTTPResponseBodySize(int(a.Bytes)),
		attribute.Int("processpool.worker.pid", a.Worker),
	}
	add := func(given bool, kv attribute.KeyValue) {
		if given {
			attributes = append(attributes, kv)
		}
	}
	add(a.RequestID != "", semconv.AWSRequestID(a.RequestID))
	add(a.HostID != "", semconv.AWSExtendedRequestID(a.HostID))
	add(a.StatusCode != 0, semconv.HTTPResponseStatusCode(a.StatusCode))
	add(a.Number > 1, semconv.HTTPRequestResendCount(a.Number-1))
	add(a.Length > 0, attribute.Int64("processpool.range.offset", a.Offset))
	add(a.Length > 0, attribute.Int64("processpool.range.length", a.Length))
	if host, port, err := net.SplitHostPort(a.RemoteAddr); err == nil {
		number, _ := strconv.Atoi(port)
		attributes = append(attributes, semconv.ServerAddress(host), semconv.ServerPort(number))
	}
	_, span := t.tracer.Start(ctx, "S3/"+a.Operation, api.WithSpanKind(api.SpanKindClient),
		api.WithTimestamp(a.Start), api.WithAttributes(attributes...))
	if a.Err != nil {
		fail(span, a.Err)
	}
	span.End(api.WithTimestamp(a.End))
}

// fail marks a span as failed, with S3's code if there is one.
func fail(span api.Span, err error) {
	kind := semconv.ErrorTypeOther
	var s3 smithy.APIError
	if errors.As(err, &s3) {
		kind = semconv.ErrorTypeKey.String(s3.ErrorCode())
	}
	span.SetAttributes(kind)
	span.SetStatus(codes.Error, err.Error())
}
