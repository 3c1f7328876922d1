package main

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/keypath"
)

// tree downloads all objects below a prefix, or those that match the pattern of a source.
func (g *getter) tree(ctx context.Context, v view, from source) {
	prefix, seen, jobs := from.key, 0, map[*processpool.Future]*job{}
	if from.pattern != "" {
		prefix = literal(from.pattern)
	}
	base, dir := keypath.Base(prefix), g.dir
	if dir == "" {
		dir = "."
	}
	var extra *extraFiles
	if g.deleteExtra {
		extra = newExtraFiles(dir)
	}
	all := g.downloader.DownloadDirectory(ctx, from.bucket, prefix, dir, func(o *processpool.DirectoryOptions) {
		o.Flat, o.SkipUnchanged, o.StopOnError = g.flat, g.skipUnchanged, g.stopOnError
		o.Filter = func(object processpool.ObjectInfo) bool {
			if from.pattern != "" && !matchKey(from.pattern, object.Key) {
				return false
			}
			seen++
			rest := strings.TrimPrefix(object.Key, base)
			extra.stays(rest)
			if !g.wants(rest) || !g.shard.wants(object.Key) {
				return false
			}
			path, err := keypath.Of(rest, runtime.GOOS == "windows")
			if err != nil || path.Dir {
				return !g.dryRun || err != nil // the library refuses it, or creates the directory
			}
			j := &job{size: object.Size, etag: object.ETag}
			j.source = source{bucket: from.bucket, key: object.Key, filename: filepath.Join(dir, filepath.FromSlash(path.Name))}
			return g.dueListed(v, j, object.LastModified)
		}
		o.Options = append(o.Options, g.options)
		o.OnStart = func(f *processpool.Future) {
			jobs[f] = jobOf(f)
			v.begin(jobs[f])
		}
		o.OnFile = func(f *processpool.Future) {
			j := jobs[f]
			if j == nil { // refused
				j = jobOf(f)
			}
			delete(jobs, f)
			g.end(v, j)
		}
	})
	g.part(func() (done, total int64) {
		p := all.Progress()
		return p.BytesDone, p.BytesTotal
	})
	err := all.Result()
	g.tally.unchanged += all.Progress().Skipped
	var failed *processpool.DirectoryError
	switch {
	case ctx.Err() != nil:
		g.tally.stopped = err
	case errors.As(err, &failed) && failed.Err != nil:
		g.stop(v, newProblem(from, failed.Err))
	case err == nil && seen == 0:
		g.stop(v, newProblem(from, errNothing))
	case err != nil && g.tally.ok() && !g.excused(failed): // the files are complete, but setting a modification time failed
		g.stop(v, newProblem(from, failed.Failures[0]))
	case extra != nil && g.tally.ok():
		g.remove(v, extra)
	}
}

// jobOf returns the job of a download that the library has begun on its own.
func jobOf(f *processpool.Future) *job {
	m := f.Meta()
	return &job{source: source{bucket: m.Bucket, key: m.Key, filename: m.Filename}, size: -1, read: f.Progress, future: f}
}

// excused reports whether the failures of a directory are none with these arguments.
func (g *getter) excused(e *processpool.DirectoryError) bool {
	for _, failure := range e.Failures {
		if g.excuse(failure) == "" {
			return false
		}
	}
	return true
}

// wants reports whether rest, a key without the prefix, matches the globs.
func (g *getter) wants(rest string) bool {
	return (len(g.include) == 0 || g.include.match(rest)) && !g.exclude.match(rest)
}
