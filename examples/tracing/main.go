// Tracing downloads objects and writes OpenTelemetry spans: one for each download, and below it one
// for each request to S3. The workers make the requests; the application, where the tracer is,
// writes the spans.
//
//	tracing [-spans spans.json] s3://bucket/key file [s3://bucket/key file ...]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	api "go.opentelemetry.io/otel/trace"

	"github.com/s3processpool/processpool"
)

func main() {
	spans := flag.String("spans", "spans.json", "`file` to which spans are appended")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *spans, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "tracing:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string, pairs []string) error {
	if len(pairs) == 0 || len(pairs)%2 != 0 {
		return errors.New("arguments must be pairs of s3://bucket/key and file")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	exporter, err := stdouttrace.New(stdouttrace.WithWriter(f)) // a service would use an OTLP exporter
	if err != nil {
		return err
	}
	provider := trace.NewTracerProvider(
		trace.WithBatcher(exporter),
		trace.WithResource(resource.NewSchemaless(semconv.ServiceName("tracing"), semconv.ProcessPID(os.Getpid()))),
	)
	defer provider.Shutdown(context.WithoutCancel(ctx))
	return download(ctx, cfg, provider, pairs)
}

// download downloads the objects. It returns when all downloads have ended.
func download(ctx context.Context, cfg aws.Config, provider api.TracerProvider, pairs []string, optFns ...func(*processpool.Config)) error {
	t := newTracer(provider)
	traced := func(c *processpool.Config) {
		c.OnAttempt = t.attempt
		// A service's aws.Config often has the middleware of otelaws. It cannot cross to the workers, and
		// OnAttempt takes its place.
		c.Foreign = processpool.ForeignWarn
	}
	d, err := processpool.NewDownloader(cfg, append(optFns, traced)...)
	if err != nil {
		return err
	}
	defer d.Shutdown()

	var waits []func() error
	for i := 0; i < len(pairs); i += 2 {
		bucket, key, ok := strings.Cut(strings.TrimPrefix(pairs[i], "s3://"), "/")
		if !ok {
			return fmt.Errorf("%s is not s3://bucket/key", pairs[i])
		}
		waits = append(waits, t.download(ctx, d, bucket, key, pairs[i+1]))
	}
	var failed []error
	for _, wait := range waits {
		failed = append(failed, wait())
	}
	return errors.Join(failed...)
}
