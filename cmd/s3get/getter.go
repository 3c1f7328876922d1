package main

import (
	"context"
	"sync"
	"time"

	"github.com/s3processpool/processpool"
)

// getter performs the downloads that the arguments select.
type getter struct {
	*program
	downloader *processpool.Downloader
	tally      tally
	began      time.Time

	// reports guards tally, and calls of the view: what is skipped is reported while downloads end.
	reports sync.Mutex

	mu struct {
		sync.Mutex
		parts []func() (done, total int64) // of the progress
	}
}

// newGetter loads and checks the configuration. It starts nothing.
func newGetter(ctx context.Context, p *program) (*getter, error) {
	cfg, err := p.awsConfig(ctx)
	if err != nil {
		return nil, err
	}
	d, err := processpool.NewDownloader(cfg, p.configure)
	if err != nil {
		return nil, err
	}
	return &getter{program: p, downloader: d, began: time.Now()}, nil
}

// download has a getter do what a command does, and sets the exit status.
func (p *program) download(ctx context.Context, do func(*getter, context.Context, view)) error {
	g, err := newGetter(ctx, p)
	if err != nil {
		return err
	}
	p.status = g.run(ctx, p.view(p.stdout, p.stderr), do)
	return nil
}

// run performs the downloads and returns the exit status.
func (g *getter) run(ctx context.Context, v view, do func(*getter, context.Context, view)) int {
	defer g.downloader.Shutdown()
	v.whole(g.status)
	do(g, ctx, v)
	interrupted := ctx.Err() != nil && g.tally.interrupted()
	if interrupted {
		v.trouble(g.interrupted())
	}
	if g.tally.archived > 0 && !g.skipArchived {
		v.trouble(problem{object: objects(g.tally.archived), what: "archived: their bytes are not at hand", code: "InvalidObjectState",
			todo: "restore them first (aws s3api restore-object), or leave them out with --skip-archived"})
	}
	if g.stat {
		g.tally.stats = newStats(g.downloader.Stats())
	}
	v.close(&g.tally, time.Since(g.began))
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
	if a.recursive && !a.ifChanged {
		p.todo += " (--skip-unchanged skips files that it has downloaded before)"
	}
	return p
}

// status is how far a command is.
type status struct {
	done, total      int64 // bytes; the total grows while a listing is read
	objects          int64 // that are complete
	workers, retries int64
}

// status returns how far the command is. It may be called from any goroutine.
func (g *getter) status() status {
	stats := g.downloader.Stats()
	r := stats.Retries
	s := status{objects: stats.Done, workers: stats.Workers, retries: r.Throttled + r.Stalled + r.Connection + r.Unexpected + r.Other}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, read := range g.mu.parts {
		done, total := read()
		s.done += done
		s.total += max(0, total)
	}
	return s
}

// part adds to the progress.
func (g *getter) part(read func() (done, total int64)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.parts = append(g.mu.parts, read)
}

// options sets the options of each download.
func (g *getter) options(o *processpool.DownloadOptions) {
	o.Resume, o.NoClobber, o.KeepModTime = g.resume, g.noClobber, g.ifChanged
	o.ExtraArgs.RequestPayer = g.payer.wire()
}

// stop reports an error that has ended the whole command.
func (g *getter) stop(v view, p problem) {
	g.reports.Lock()
	defer g.reports.Unlock()
	v.trouble(p)
	g.tally.stopped = p.cause.err
}
