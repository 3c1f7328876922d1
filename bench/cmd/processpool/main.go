// Command processpool downloads with this library.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/bench/internal/sdk"
	"github.com/s3processpool/processpool/bench/internal/task"
)

var (
	verify  = flag.String("verify", "auto", "auto, required or off")
	known   = flag.Bool("known", false, "set ExpectedSize, which saves the HeadObject")
	skip    = flag.Bool("skip-head", false, "set SkipHead")
	resume  = flag.Bool("resume", false, "set Resume")
	durable = flag.Bool("durable", false, "set Durable")
	direct  = flag.Bool("direct", false, "set DirectIO")
	attempt = flag.Bool("attempts", false, "set OnAttempt, to a function that counts")
	all     = flag.Bool("all", false, "call DownloadAll once, not DownloadFile for each object")
	linger  = flag.Duration("linger", 0, "`time` to wait before Shutdown, in which all workers start")
)

func main() {
	task.Exit(run(task.Parse()))
}

func run(t task.Task) error {
	mode, ok := map[string]processpool.VerifyMode{
		"auto": processpool.VerifyAuto, "required": processpool.VerifyRequired, "off": processpool.VerifyOff,
	}[*verify]
	if !ok {
		return fmt.Errorf("-verify must be auto, required or off, not %q", *verify)
	}
	var bundle []byte
	if t.CA != "" {
		var err error
		if bundle, err = os.ReadFile(t.CA); err != nil {
			return err
		}
	}
	d, err := processpool.NewDownloader(sdk.Config(t), func(c *processpool.Config) {
		c.MaxRequestProcesses = t.Workers
		c.RequestsPerProcess = t.Requests
		c.MultipartThreshold = t.Chunk
		c.MultipartChunksize = t.Chunk
		c.Verify, c.Durable, c.DirectIO = mode, *durable, *direct
		c.CABundle = bundle
		if *attempt {
			n := 0
			c.OnAttempt = func(processpool.Attempt) { n++ }
		}
		c.ClientOptions = append(c.ClientOptions, sdk.PathStyle)
	})
	if err != nil {
		return err
	}
	defer d.Shutdown()
	return download(t, d)
}

func download(t task.Task, d *processpool.Downloader) error {
	options := func(o *processpool.DownloadOptions) {
		o.SkipHead, o.Resume = *skip, *resume
		if *known {
			o.ExpectedSize = &t.Size
		}
	}
	if *all {
		return downloadAll(t, d, options)
	}
	var futures []*processpool.Future
	for _, o := range t.Objects() {
		futures = append(futures, d.DownloadFile(context.Background(), t.Bucket, o.Key, o.File, options))
	}
	for i, f := range futures {
		if err := f.Result(); err != nil {
			return err
		}
		if i == 0 {
			task.First()
		}
	}
	if *linger > 0 {
		if err := d.Start(); err != nil { // those workers, too, that the objects did not need
			return err
		}
	}
	time.Sleep(*linger)
	return nil
}

func downloadAll(t task.Task, d *processpool.Downloader, options func(*processpool.DownloadOptions)) error {
	requests := func(yield func(processpool.Request) bool) {
		for _, o := range t.Objects() {
			if !yield(processpool.Request{Bucket: t.Bucket, Key: o.Key, Filename: o.File}) {
				return
			}
		}
	}
	for f := range d.DownloadAll(context.Background(), requests, options) {
		if err := f.Result(); err != nil {
			return err
		}
	}
	return nil
}
