// Command quickstart downloads one object: 256 MiB from an S3 server that it starts, or, with -bucket, -key
// and -file, from S3, with credentials and region of the environment (AWS_ACCESS_KEY_ID, ...). A program of
// your own takes them from config.LoadDefaultConfig, whose dependencies this module does without.
package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A worker is this program again. Package processpool's init serves the pool there; main does not run.
func main() {
	bucket := flag.String("bucket", "", "`name` of the bucket")
	key := flag.String("key", "", "`key` of the object")
	file := flag.String("file", "", "`name` of the file")
	endpoint := flag.String("endpoint", "", "`URL` of a server other than S3, such as http://127.0.0.1:9000")
	region := flag.String("region", cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")), "`name` of the region")
	workers := flag.Int("workers", 10, "`number` of worker processes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	credentials := credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN"))
	configure := func(c *processpool.Config) {
		c.MaxRequestProcesses = *workers
		if *endpoint != "" {
			c.ClientOptions = append(c.ClientOptions, func(o *s3.Options) { o.BaseEndpoint, o.UsePathStyle = endpoint, true })
		}
	}
	var err error
	if *bucket+*key+*file+*endpoint == "" {
		err = demo(ctx, os.Stdout, configure)
	} else {
		err = download(ctx, aws.Config{Region: *region, Credentials: credentials}, *bucket, *key, *file, os.Stdout, configure)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "quickstart: %q\n", err.Error()) // quoted: it may have control sequences of terminals
		os.Exit(1)
	}
}

// download shows the whole use of the library.
func download(ctx context.Context, cfg aws.Config, bucket, key, file string, out io.Writer, optFns ...func(*processpool.Config)) error {
	d, err := processpool.NewDownloader(cfg, optFns...)
	if err != nil {
		return err
	}
	defer d.Shutdown()
	var tenths int64
	future := d.DownloadFile(ctx, bucket, key, file, func(o *processpool.DownloadOptions) {
		o.OnProgress = func(p processpool.Progress) {
			if n := 10 * p.BytesDone / max(p.BytesTotal, 1); n > tenths {
				tenths = n
				fmt.Fprintf(out, "%3d %%  %d of %d bytes\n", 10*n, p.BytesDone, p.BytesTotal)
			}
		}
	})
	if err := future.Result(); err != nil {
		return err
	}
	verified := cmp.Or(future.Object().Verified, "no: S3 keeps no checksum that can verify the object")
	fmt.Fprintf(out, "file        %q, %d bytes\nverified    %s\n", file, future.Object().Size, verified)
	return nil
}

// demo downloads from a server in this process, and compares every byte.
func demo(ctx context.Context, out io.Writer, optFns ...func(*processpool.Config)) error {
	want := s3test.PatternBytes(1, 256<<20)
	origin := s3test.Start()
	defer origin.Close()
	origin.Put("mybucket", "mykey", want)
	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := dir + "/myfile"
	if err := download(ctx, origin.Config(), "mybucket", "mykey", file, out, optFns...); err != nil {
		return err
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		return fmt.Errorf("the file is not the object: %d bytes, %v", len(got), err)
	}
	fmt.Fprintln(out, "compared    equal to the object, byte by byte; the file is removed again")
	return nil
}
