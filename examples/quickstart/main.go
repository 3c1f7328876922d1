// Command quickstart downloads one object with a pool of worker processes.
//
// Without arguments it starts an S3 origin on this machine, downloads 256 MiB from it and compares
// every byte:
//
//	go run ./examples/quickstart
//
// With -bucket, -key and -file it downloads from S3, with the credentials and the region of the
// environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION):
//
//	go run ./examples/quickstart -bucket mybucket -key mykey -file myfile
//
// A program of your own takes them from wherever config.LoadDefaultConfig finds them, as in README.md
// and in cmd/s3get. That package is not used here, to keep its dependencies out of this module.
//
// The exit status is 0 if the file is complete, 1 if the download failed and 2 if an argument is
// wrong. Ctrl-C cancels the download.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// The workers are child processes that run this program. In them the init function of package
// processpool serves the pool, and main does not run.
func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a, err := parse(args)
	if err == errHelp {
		fmt.Fprint(stdout, usage)
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "quickstart: %s\n", printable(strings.ReplaceAll(err.Error(), "\n", "; ")))
		return exitUsage
	}
	start := demo
	if a.bucket != "" {
		start = fromS3
	}
	if err := start(ctx, a, stdout); err != nil {
		fmt.Fprintf(stderr, "quickstart: %s\n", printable(strings.ReplaceAll(err.Error(), "\n", "; ")))
		return exitFailed
	}
	return 0
}

// fromS3 downloads the object that the arguments name.
func fromS3(ctx context.Context, a arguments, stdout io.Writer) error {
	cfg := aws.Config{Region: cmp.Or(a.region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))}
	key, secret := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	if key == "" || secret == "" {
		return errors.New("no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN if there is one; " +
			"aws configure export-credentials --format env prints those of a profile")
	}
	cfg.Credentials = credentials.NewStaticCredentialsProvider(key, secret, os.Getenv("AWS_SESSION_TOKEN"))
	return download(ctx, cfg, a, stdout)
}

// download shows the whole use of the library, and prints a report.
func download(ctx context.Context, cfg aws.Config, a arguments, stdout io.Writer) error {
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.MaxRequestProcesses = a.workers
		if a.endpoint != "" {
			c.ClientOptions = append(c.ClientOptions, func(o *s3.Options) {
				o.BaseEndpoint = aws.String(a.endpoint)
				o.UsePathStyle = true
			})
		}
	})
	if err != nil {
		return err
	}
	defer d.Shutdown()

	began := time.Now()
	line := newLine(stdout)
	future := d.DownloadFile(ctx, a.bucket, a.key, a.file, func(o *processpool.DownloadOptions) {
		o.OnProgress = line.show
	})
	err = future.Result()
	took := time.Since(began)
	line.end()
	if err != nil {
		return err
	}
	report(stdout, future, took)
	return nil
}
