package main

import (
	"os"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/tool/mark"
)

// due reports whether to download an object that was named, and reports it otherwise. S3 is not
// asked: an object whose file has an ETag is downloaded if S3 has another one.
func (g *getter) due(v view, j *job) bool {
	info, err := os.Stat(j.filename)
	switch {
	case err != nil || !info.Mode().IsRegular():
	case g.noClobber:
		g.skip(v, j, existing)
		return false
	case g.ifChanged:
		etag := mark.Get(j.filename, info)
		if etag != "" && etag == j.etag && (j.size < 0 || j.size == info.Size()) {
			g.skip(v, j, unchanged)
			return false
		}
		if etag != "" && j.etag == "" {
			j.options = append(j.options, func(o *processpool.DownloadOptions) { o.IfNoneMatch = etag })
		}
	}
	if g.dryRun {
		g.plan(v, "download", j)
		return false
	}
	return true
}

// dueListed does as due for an object that was listed.
func (g *getter) dueListed(v view, j *job, modified time.Time) bool {
	info, err := os.Stat(j.filename)
	switch {
	case err != nil || !info.Mode().IsRegular():
	case g.noClobber:
		g.skip(v, j, existing)
		return false
	case g.ifChanged, g.skipUnchanged && g.dryRun:
		if info.Size() == j.size && info.ModTime().Truncate(time.Second).Equal(modified.Truncate(time.Second)) {
			if etag := mark.Get(j.filename, info); etag == "" || etag == j.etag || !g.ifChanged {
				g.skip(v, j, unchanged)
				return false
			}
		}
	}
	if g.dryRun {
		g.plan(v, "download", j)
		return false
	}
	return true
}
