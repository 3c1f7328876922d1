// Command manager downloads with aws-sdk-go-v2/feature/s3/manager.
package main

//lint:file-ignore SA1019 deprecated, but most programs still use it

import (
	"context"
	"flag"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/bench/internal/sdk"
	"github.com/s3processpool/processpool/bench/internal/task"
)

var sync = flag.Bool("sync", false, "wait until the file is on stable storage")

var buffer = flag.Int("buffer", 0, "`bytes` of each write; 0: the default of the package, 32 KiB")

func main() { task.Exit(run(task.Parse())) }

func run(t task.Task) error {
	client, err := sdk.NewClient(t)
	if err != nil {
		return err
	}
	downloader := manager.NewDownloader(client, func(d *manager.Downloader) {
		d.PartSize = t.Chunk
		d.Concurrency = t.Workers
		if *buffer > 0 {
			d.BufferProvider = manager.NewPooledBufferedWriterReadFromProvider(*buffer)
		}
	})
	return t.Each(context.Background(), func(ctx context.Context, o task.Object) error {
		f, err := os.Create(o.File)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := downloader.Download(ctx, f, &s3.GetObjectInput{
			Bucket: aws.String(t.Bucket), Key: aws.String(o.Key),
		}); err != nil {
			return err
		}
		if *sync {
			if err := f.Sync(); err != nil {
				return err
			}
		}
		return f.Close()
	})
}
