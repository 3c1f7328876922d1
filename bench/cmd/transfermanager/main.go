// Command transfermanager downloads with aws-sdk-go-v2/feature/s3/transfermanager.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"

	"github.com/s3processpool/processpool/bench/internal/sdk"
	"github.com/s3processpool/processpool/bench/internal/task"
)

var sync = flag.Bool("sync", false, "wait until the file is on stable storage")

func main() { task.Exit(run(task.Parse())) }

func run(t task.Task) error {
	client, err := sdk.NewClient(t)
	if err != nil {
		return err
	}
	tm := transfermanager.New(client, func(o *transfermanager.Options) {
		o.PartSizeBytes = t.Chunk
		o.Concurrency = t.Workers
		o.GetObjectType = types.GetObjectRanges // the objects here have no parts
	})
	return t.Each(context.Background(), func(ctx context.Context, o task.Object) error {
		f, err := os.Create(o.File)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := tm.DownloadObject(ctx, &transfermanager.DownloadObjectInput{
			Bucket: aws.String(t.Bucket), Key: aws.String(o.Key), WriterAt: f,
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
