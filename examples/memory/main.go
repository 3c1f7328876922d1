//go:build linux

// Memory loads a model in the safetensors format from S3 into memory that is not of the Go heap, and
// reads one tensor of it.
//
//	memory s3://bucket/model.safetensors [TENSOR]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/s3processpool/processpool"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "memory:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || len(args) > 2 {
		return errors.New("usage: memory s3://bucket/model.safetensors [TENSOR]")
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(args[0], "s3://"), "/")
	if !ok {
		return fmt.Errorf("%s is not s3://bucket/key", args[0])
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	d, err := processpool.NewDownloader(cfg)
	if err != nil {
		return err
	}
	defer d.Shutdown()
	name := ""
	if len(args) == 2 {
		name = args[1]
	}
	return show(ctx, d, bucket, key, name, out)
}

// show loads a model, and prints what is in it and the mean of one tensor; "" is the first one.
func show(ctx context.Context, d *processpool.Downloader, bucket, key, name string, out io.Writer) error {
	m, err := load(ctx, d, bucket, key)
	if err != nil {
		return err
	}
	defer m.close()
	fmt.Fprintf(out, "%d bytes, verified by: %s\n", len(m.bytes), m.object.Verified)
	names := m.names()
	if len(names) == 0 {
		return errors.New("the model has no tensors")
	}
	if name == "" {
		name = names[0]
	}
	if !slices.Contains(names, name) {
		return fmt.Errorf("there is no tensor %q, but %q", name, names)
	}
	numbers, err := m.floats(name)
	if err != nil {
		return err
	}
	sum, most := 0.0, math.Inf(-1)
	for _, x := range numbers {
		sum += float64(x)
		most = max(most, float64(x))
	}
	fmt.Fprintf(out, "%s %v: mean %g, largest %g\n", name, m.tensors[name].Shape, sum/float64(max(len(numbers), 1)), most)
	return nil
}
