// Tracing downloads objects and writes OpenTelemetry spans: the application writes one for each
// download, and the SDK in the workers writes one for each request.
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
	spans := flag.String("spans", "spans.json", "`file` to which spans are appended")
	worker := flag.Bool("worker", false, "run as a worker; the pool sets this flag")
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

// serve runs as a worker whose client has a tracer. A tracer is code and cannot be sent from the
// application, so the worker creates its own.
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
		return errors.New("arguments must be pairs of s3://bucket/key and file")
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

// download downloads the objects. It returns when all downloads have ended and their spans are in
// the file.
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
