// Lists downloads a list of objects of any length in bounded memory: keys, one a line, on standard
// input.
//
//	aws s3api list-objects-v2 --bucket mybucket --query 'Contents[].[Key]' --output text | lists mybucket dir
//
// The lines are read as downloads end, so that neither the list nor the results are ever in memory as
// a whole. The exit status is 1 if an object failed; the others are complete all the same.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/s3processpool/processpool"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: lists BUCKET DIR < KEYS")
		os.Exit(2)
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err == nil {
		err = run(ctx, cfg, os.Args[1], os.Args[2], os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lists:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, cfg aws.Config, bucket, dir string, keys io.Reader, out io.Writer) error {
	d, err := processpool.NewDownloader(cfg)
	if err != nil {
		return err
	}
	defer d.Shutdown()

	var failed, done int
	lines := bufio.NewScanner(keys)
	// The options are those of each download: one request for an object that is small.
	for f := range d.DownloadAll(ctx, requests(lines, bucket, dir), func(o *processpool.DownloadOptions) { o.SkipHead = true }) {
		switch err := f.Result(); {
		case errors.Is(err, processpool.ErrCanceled):
		case err != nil: // one of many: the text names the object
			failed++
			fmt.Fprintln(out, err)
		default:
			done++
		}
	}
	fmt.Fprintf(out, "%d complete, %d failed\n", done, failed)
	if failed > 0 {
		err = fmt.Errorf("%d objects failed", failed)
	}
	return errors.Join(err, lines.Err(), ctx.Err())
}

// requests yields a request for each line. It runs in a goroutine of its own, and waits while enough
// downloads are under way.
func requests(lines *bufio.Scanner, bucket, dir string) iter.Seq[processpool.Request] {
	return func(yield func(processpool.Request) bool) {
		for lines.Scan() {
			key := lines.Text()
			// The name of the file is up to the program: here no key leads out of the directory.
			name, err := filepath.Localize(key)
			if err == nil {
				name = filepath.Join(dir, name)
				err = os.MkdirAll(filepath.Dir(name), 0o777)
			}
			if err != nil {
				name = "" // which is an error of this download alone
			}
			if !yield(processpool.Request{Bucket: bucket, Key: key, Filename: name}) {
				return
			}
		}
	}
}
