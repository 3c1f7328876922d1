package main

//lint:file-ignore SA1019 deprecated, but most programs still use it

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/bench/internal/sdk"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// download downloads the object in the way of -by.
func download(ctx context.Context, t task.Task, d *processpool.Downloader) error {
	switch *by {
	case "none":
		time.Sleep(*idle)
		return nil
	case "manager":
		return byManager(ctx, t)
	case "transfermanager":
		return byTransferManager(ctx, t)
	case "processpool":
		err := d.DownloadFile(ctx, t.Bucket, t.Key, t.File).Result()
		if err == nil && !*early {
			err = d.Shutdown() // as the others, which leave nothing behind
		}
		return err
	}
	return fmt.Errorf("-by %q is none of none, manager, transfermanager, processpool", *by)
}

func byManager(ctx context.Context, t task.Task) error {
	client, err := sdk.NewClient(t)
	if err != nil {
		return err
	}
	downloader := manager.NewDownloader(client, func(d *manager.Downloader) {
		d.PartSize, d.Concurrency = t.Chunk, t.Workers
		d.BufferProvider = manager.NewPooledBufferedWriterReadFromProvider(1 << 20)
	})
	f, err := os.Create(t.File)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = downloader.Download(ctx, f, &s3.GetObjectInput{Bucket: aws.String(t.Bucket), Key: aws.String(t.Key)})
	return err
}

func byTransferManager(ctx context.Context, t task.Task) error {
	client, err := sdk.NewClient(t)
	if err != nil {
		return err
	}
	tm := transfermanager.New(client, func(o *transfermanager.Options) {
		o.PartSizeBytes, o.Concurrency, o.GetObjectType = t.Chunk, t.Workers, types.GetObjectRanges
	})
	f, err := os.Create(t.File)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = tm.DownloadObject(ctx, &transfermanager.DownloadObjectInput{
		Bucket: aws.String(t.Bucket), Key: aws.String(t.Key), WriterAt: f,
	})
	return err
}

// pool returns the Downloader. Nothing of it runs unless -early asks for all workers.
func pool(t task.Task) (*processpool.Downloader, error) {
	d, err := processpool.NewDownloader(sdk.Config(t), func(c *processpool.Config) {
		c.MaxRequestProcesses = t.Workers
		c.MultipartThreshold, c.MultipartChunksize = t.Chunk, t.Chunk
		c.Verify = processpool.VerifyOff // as the others
		c.Nice = *nice
		c.ClientOptions = append(c.ClientOptions, sdk.PathStyle)
	})
	if err != nil || !*early {
		return d, err
	}
	if err := d.Start(); err != nil {
		return d, err
	}
	for d.Stats().Workers < int64(t.Workers) {
		time.Sleep(time.Millisecond)
	}
	return d, nil
}
