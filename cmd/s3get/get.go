package main

import (
	"context"
	"os"

	"github.com/s3processpool/processpool"
)

// get downloads what the sources name: first the objects, then what is below prefixes and what
// wildcards match.
func (g *getter) get(ctx context.Context, v view) {
	var jobs []*job
	for _, s := range g.sources {
		if !g.recursive && s.pattern == "" && g.shard.wants(s.key) {
			jobs = append(jobs, g.newJob(s))
		}
	}
	if len(jobs) > 0 {
		if g.dir != "" && !g.dryRun {
			if err := os.MkdirAll(g.dir, 0o777); err != nil {
				p := advise(err)
				p.object, p.file = g.dir, g.dir
				g.stop(v, p)
				return
			}
		}
		g.all(ctx, v, func(_ context.Context, yield func(*job) bool) {
			for _, j := range jobs {
				if !yield(j) {
					return
				}
			}
		})
	}
	for _, s := range g.sources {
		if (g.recursive || s.pattern != "") && g.tally.stopped == nil && ctx.Err() == nil {
			g.tree(ctx, v, s)
		}
	}
}

func (g *getter) newJob(s source) *job {
	j := &job{source: s, size: -1, versionID: g.versionID}
	j.options = append(j.options, func(o *processpool.DownloadOptions) {
		o.Range, o.Expect = g.byteRange.of, g.digests
	})
	return j
}

// all downloads jobs, and reports each when it ends. When the context of jobs ends, no more are
// wanted.
func (g *getter) all(ctx context.Context, v view, jobs func(context.Context, func(*job) bool)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b, finished := &books{}, false
	g.part(b.read)
	begun := func(j *job) { b.begin(j); v.begin(j) }
	due := func(yield func(processpool.Request) bool) {
		finished = true
		jobs(ctx, func(j *job) bool {
			if g.due(v, j) && !yield(j.request(begun)) {
				finished = false
			}
			return finished
		})
		finished = finished && ctx.Err() == nil
	}
	for f := range g.downloader.DownloadAll(ctx, due, g.options) {
		j := f.Meta().UserContext.(*job)
		j.future = f
		b.end(j)
		if failed := g.end(v, j); failed && g.stopOnError {
			cancel()
		}
	}
	if !finished && g.tally.stopped == nil && ctx.Err() != nil {
		g.tally.stopped = processpool.ErrCanceled
	}
}
