// Tracing downloads objects and writes what happened as OpenTelemetry spans: one for each
// download, in the application, and those of the SDK for each request, in the workers.
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
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/tracing/smithyoteltracing"

	"github.com/s3processpool/processpool"
)

func main() {
	spans := flag.String("spans", "spans.json", "`file` that spans are added to")
	worker := flag.Bool("worker", false, "serve a pool: it starts its workers so")
	flag.Parse()
	var err error
	if *worker {
		err = serve(*spans)
	} else {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		err = run(ctx, *spans, flag.Args())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tracing:", err)
		os.Exit(1)
	}
}

// serve is a worker whose client traces. A tracer is code, which cannot cross from
// the application: so the worker makes its own.
func serve(file string) error {
	provider, stop, err := record(file, "processpool worker")
	if err != nil {
		return err
	}
	defer stop()
	return processpool.ServeWorker(func(o *s3.Options) {
		o.TracerProvider = smithyoteltracing.Adapt(provider)
	})
}

func run(ctx context.Context, file string, pairs []string) error {
	if len(pairs) == 0 || len(pairs)%2 != 0 {
		return errors.New("give pairs of s3://bucket/key and file")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return download(ctx, cfg, file, pairs, func(c *processpool.Config) {
		c.WorkerCommand = []string{self, "-worker", "-spans", file}
	})
}

// download returns when all downloads have ended and their spans are in the file.
func download(ctx context.Context, cfg aws.Config, file string, pairs []string, optFns ...func(*processpool.Config)) error {
	provider, stop, err := record(file, "tracing")
	if err != nil {
		return err
	}
	defer stop()
	t := newTracer(provider)
	logged := func(c *processpool.Config) { c.Logger = t.logger() }
	d, err := processpool.NewDownloader(cfg, append(optFns, logged)...)
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
