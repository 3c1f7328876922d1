// Tracing downloads an object and writes OpenTelemetry spans: one for the download, and below it one for
// each request to S3. Workers make the requests; the application, where the tracer is, writes the spans.
// Usage: tracing s3://bucket/key file
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	api "go.opentelemetry.io/otel/trace"

	"github.com/s3processpool/processpool"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tracing:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	exporter, failed := stdouttrace.New() // a service would use an OTLP exporter
	if err := errors.Join(err, failed); err != nil || len(args) != 2 {
		return errors.Join(err, errors.New("usage: tracing s3://bucket/key file"))
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
	defer provider.Shutdown(ctx)
	t := &tracer{Tracer: provider.Tracer("processpool"), parents: map[int64]api.Span{}}
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.OnAttempt, c.Foreign = t.attempt, processpool.ForeignWarn // instead of otelaws, which cannot cross to workers
	})
	if err != nil {
		return err
	}
	defer d.Shutdown()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(args[0], "s3://"), "/")
	return t.download(ctx, d, bucket, key, args[1])
}

// tracer makes a span for each download, and one for each of its requests.
type tracer struct {
	api.Tracer
	mu      sync.Mutex
	parents map[int64]api.Span // of the downloads under way, by TransferID
}

// download waits for the end of a download. It may be called concurrently.
func (t *tracer) download(ctx context.Context, d *processpool.Downloader, bucket, key, file string) error {
	ctx, span := t.Start(ctx, "download", api.WithAttributes(semconv.AWSS3Bucket(bucket), semconv.AWSS3Key(key)))
	t.mu.Lock() // attempt waits for it, so that it finds the span
	future := d.DownloadFile(ctx, bucket, key, file)
	t.parents[future.Meta().TransferID] = span
	t.mu.Unlock()
	err := future.Result() // attempt was told of all requests by now
	t.mu.Lock()
	delete(t.parents, future.Meta().TransferID)
	t.mu.Unlock()
	span.SetAttributes(attribute.Int64("object.size", future.Object().Size), attribute.String("object.verified", future.Object().Verified))
	return end(span, err)
}

// attempt makes the span of a request, by https://opentelemetry.io/docs/specs/semconv/object-stores/s3/.
func (t *tracer) attempt(a processpool.Attempt) {
	t.mu.Lock()
	parent := api.ContextWithSpan(context.Background(), t.parents[a.TransferID])
	t.mu.Unlock()
	_, span := t.Start(parent, "S3/"+a.Operation, api.WithSpanKind(api.SpanKindClient), api.WithTimestamp(a.Start), api.WithAttributes(
		semconv.RPCSystemKey.String("aws-api"), semconv.RPCService("S3"), semconv.RPCMethod(a.Operation), semconv.AWSS3Bucket(a.Bucket), semconv.AWSS3Key(a.Key),
		semconv.AWSRequestID(a.RequestID), semconv.AWSExtendedRequestID(a.HostID), semconv.HTTPResponseStatusCode(a.StatusCode),
		semconv.HTTPResponseBodySize(int(a.Bytes)), semconv.HTTPRequestResendCount(a.Number-1), attribute.Int64("processpool.range.offset", a.Offset)))
	end(span, a.Err, api.WithTimestamp(a.End))
}

// end ends a span, as failed if there is an error, with S3's code.
func end(span api.Span, err error, options ...api.SpanEndOption) error {
	if err != nil {
		kind, refused := semconv.ErrorTypeOther, smithy.APIError(nil)
		if errors.As(err, &refused) {
			kind = semconv.ErrorTypeKey.String(refused.ErrorCode())
		}
		span.SetAttributes(kind)
		span.SetStatus(codes.Error, err.Error())
	}
	span.End(options...)
	return err
}
