//go:build unix

package processpool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool"
)

// The Go halves of docs/porting.md, which quotes them.

// portingDownloader is exampleDownloader in a folder that is the working directory until
// end is called, which shuts the Downloader down and removes the folder.
func portingDownloader() (d *processpool.Downloader, end func()) {
	before, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	d, dir := exampleDownloader()
	if err := os.Chdir(dir); err != nil {
		panic(err)
	}
	return d, func() {
		d.Shutdown()
		os.Chdir(before)
		os.RemoveAll(dir)
	}
}

func Example_portingOneFile() {
	_, end := portingDownloader()
	defer end()
	ctx, cfg := context.Background(), exampleConfig()

	download := func() error {
		d, err := processpool.NewDownloader(cfg)
		if err != nil {
			return err
		}
		defer d.Shutdown()
		return d.DownloadFile(ctx, "mybucket", "mykey", "myfile").Result()
	}
	fmt.Println(download())
	// Output: <nil>
}

func Example_portingManyFiles() {
	ctx := context.Background()
	d, end := portingDownloader()
	defer end()

	var futures []*processpool.Future
	for _, key := range []string{"mykey", "nokey"} {
		futures = append(futures, d.DownloadFile(ctx, "mybucket", key, "file-of-"+key))
	}
	for _, f := range futures {
		if err := f.Result(); err != nil {
			fmt.Println(f.Meta().Key, "failed:", err != nil)
		}
	}
	// Output: nokey failed: true
}

func Example_portingTransferConfig() {
	cfg := exampleConfig()
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.MultipartThreshold = 16 << 20
		c.MultipartChunksize = 4 << 20
		c.MaxRequestProcesses = 4
	})
	if err == nil {
		err = d.Shutdown()
	}
	fmt.Println(err)
	// Output: <nil>
}

func Example_portingClientKwargs() {
	cfg := exampleConfig()
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.ClientOptions = append(c.ClientOptions, func(o *s3.Options) {
			o.Region = "us-west-2"
			o.BaseEndpoint = aws.String("http://localhost:9000")
			o.UsePathStyle = true
			o.Credentials = aws.AnonymousCredentials{}
		})
	})
	if err == nil {
		err = d.Shutdown()
	}
	fmt.Println(err)
	// Output: <nil>
}

func Example_portingExtraArgs() {
	ctx := context.Background()
	d, end := portingDownloader()
	defer end()

	future := d.DownloadFile(ctx, "mybucket", "mykey", "myfile", func(o *processpool.DownloadOptions) {
		o.ExtraArgs.VersionId = "null"
		o.ExpectedSize = aws.Int64(1 << 20)
	})
	fmt.Println(future.Result())
	// Output: <nil>
}

func Example_portingErrors() {
	ctx := context.Background()
	d, end := portingDownloader()
	defer end()

	err := d.DownloadFile(ctx, "mybucket", "nokey", "myfile").Result()
	var answer smithy.APIError
	switch {
	case errors.As(err, &answer):
		fmt.Println(answer.ErrorCode())
	case errors.Is(err, processpool.ErrRetriesExceeded):
		fmt.Println("try again later")
	case errors.Is(err, os.ErrNotExist):
		fmt.Println("make the directory first")
	}
	// Output: NoSuchKey
}

func Example_portingCancel() {
	ctx := context.Background()
	d, end := portingDownloader()
	defer end()

	future := d.DownloadFile(ctx, "mybucket", "stuck", "myfile")
	future.Cancel()
	fmt.Println(errors.Is(future.Result(), processpool.ErrCanceled))
	// Output: true
}

func Example_portingCtrlC() {
	d, end := portingDownloader()
	defer end()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	future := d.DownloadFile(ctx, "mybucket", "mykey", "myfile")
	if errors.Is(future.Result(), processpool.ErrCanceled) {
		fmt.Println("interrupted, and nothing is left behind")
	}
	// Output:
}

func Example_portingMeta() {
	ctx := context.Background()
	d, end := portingDownloader()
	defer end()

	future := d.DownloadFile(ctx, "mybucket", "mykey", "myfile", func(o *processpool.DownloadOptions) {
		o.UserContext = map[string]any{"tenant": 7}
	})
	meta := future.Meta()
	fmt.Println(meta.TransferID, meta.Bucket, meta.Key, meta.Filename, meta.UserContext)
	// Output: 0 mybucket mykey myfile map[tenant:7]
}

func Example_portingPolling() {
	ctx := context.Background()
	d, end := portingDownloader()
	defer end()
	future := d.DownloadFile(ctx, "mybucket", "mykey", "myfile")

	every := time.NewTicker(time.Second)
	defer every.Stop()
	for waiting := true; waiting; {
		select {
		case <-future.Done():
			waiting = false
		case <-every.C:
			fmt.Println(future.Progress().BytesDone, "bytes so far")
		}
	}
	fmt.Println(future.Result())
	// Output: <nil>
}
