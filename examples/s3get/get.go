package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
)

// getter performs the downloads that the arguments select.
type getter struct {
	*arguments
	downloader *processpool.Downloader
	tally      tally
}

// newGetter loads and checks the configuration. It starts nothing.
func newGetter(ctx context.Context, a *arguments) (*getter, error) {
	var load []func(*config.LoadOptions) error
	if a.profile != "" {
		load = append(load, config.WithSharedConfigProfile(a.profile))
	}
	if a.region != "" {
		load = append(load, config.WithRegion(a.region))
	}
	if a.unsigned {
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1" // the library finds the region of a bucket elsewhere
	}
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.MaxRequestProcesses, c.RequestsPerProcess = a.workers, a.requests
		c.MultipartChunksize, c.MultipartThreshold = int64(a.chunk), int64(a.threshold)
		c.Verify = a.verify.VerifyMode
		if a.endpoint != "" {
			c.ClientOptions = append(c.ClientOptions, func(o *s3.Options) {
				o.BaseEndpoint = aws.String(a.endpoint)
				o.UsePathStyle = true
			})
		}
	})
	if err != nil {
		return nil, err
	}
	return &getter{arguments: a, downloader: d}, nil
}

// run performs the downloads and returns the exit status.
func (g *getter) run(ctx context.Context, v view) int {
	defer g.downloader.Shutdown()
	began := time.Now()
	if g.recursive {
		g.tree(ctx, v)
	} else {
		g.files(ctx, v)
	}
	interrupted := ctx.Err() != nil && g.tally.interrupted()
	if interrupted {
		v.trouble(g.interrupted())
	}
	v.close(&g.tally, time.Since(began))
	switch {
	case interrupted:
		return statusOf(ctx)
	case !g.tally.ok():
		return exitFailed
	}
	return exitDone
}

func (a *arguments) interrupted() problem {
	p := problem{object: "interrupted", what: "unfinished downloads are canceled and removed", todo: "run the same command again", code: "Interrupted"}
	if a.resume {
		p.what, p.todo = "unfinished downloads are canceled", "run the same command again to resume them"
	}
	if a.recursive {
		p.todo += " (--skip-unchanged skips files that it has downloaded before)"
	}
	return p
}

// options sets the options of each download.
func (g *getter) options(o *processpool.DownloadOptions) { o.Resume = g.resume }

// files downloads the objects that the arguments name, and reports each when it ends.
func (g *getter) files(ctx context.Context, v view) {
	if g.dir != "" {
		if err := os.MkdirAll(g.dir, 0o777); err != nil {
			p := advise(err)
			p.object, p.file = g.dir, g.dir
			g.stop(v, p)
			return
		}
	}
	ends := make(chan *processpool.Future)
	var futures []*processpool.Future
	for _, s := range g.sources {
		f := g.downloader.DownloadFile(ctx, s.bucket, s.key, s.filename, g.options)
		futures = append(futures, f)
		go func() {
			<-f.Done()
			ends <- f
		}()
	}
	v.whole(func() (done, total int64) { return sum(futures) })
	for _, f := range futures {
		v.begin(f)
	}
	for range futures {
		g.end(v, <-ends)
	}
}

func (g *getter) end(v view, f *processpool.Future) {
	g.tally.count(f)
	v.end(f)
}

// stop reports an error that has ended the whole command.
func (g *getter) stop(v view, p problem) {
	v.trouble(p)
	g.tally.stopped = p.cause.err
}

// sum returns the total progress of the downloads.
func sum(futures []*processpool.Future) (done, total int64) {
	for _, f := range futures {
		p := f.Progress()
		done += p.BytesDone
		total += max(0, p.BytesTotal)
	}
	return done, total
}

// tree downloads all objects below a prefix.
func (g *getter) tree(ctx context.Context, v view) {
	from, seen := g.sources[0], 0
	all := g.downloader.DownloadDirectory(ctx, from.bucket, from.key, g.dir, func(o *processpool.DirectoryOptions) {
		o.Flat, o.SkipUnchanged, o.StopOnError = g.flat, g.skipUnchanged, g.stopOnError
		o.Filter = func(object processpool.ObjectInfo) bool {
			seen++
			return g.wants(strings.TrimPrefix(object.Key, from.key))
		}
		o.Options = append(o.Options, g.options)
		o.OnStart = v.begin
		o.OnFile = func(f *processpool.Future) { g.end(v, f) }
	})
	v.whole(func() (done, total int64) {
		p := all.Progress()
		return p.BytesDone, p.BytesTotal
	})
	err := all.Result()
	g.tally.unchanged = all.Progress().Skipped
	var failed *processpool.DirectoryError
	switch {
	case ctx.Err() != nil:
		g.tally.stopped = err
	case errors.As(err, &failed) && failed.Err != nil:
		g.stop(v, newProblem(from, failed.Err))
	case err == nil && seen == 0:
		g.stop(v, newProblem(from, errNothing))
	case err != nil && g.tally.ok(): // the files are complete, but setting a modification time failed
		g.stop(v, newProblem(from, failed.Failures[0]))
	}
}

// wants reports whether rest, a key without the prefix, matches the globs.
func (g *getter) wants(rest string) bool {
	return (len(g.include) == 0 || g.include.match(rest)) && !g.exclude.match(rest)
}
