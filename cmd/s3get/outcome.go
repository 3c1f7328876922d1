package main

import (
	"errors"

	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/tool/mark"
)

// Why an object is skipped: the reason of --json.
const (
	unchanged = "unchanged"
	existing  = "exists"
	archived  = "archived"
)

// end counts and reports a download that has ended.
func (g *getter) end(v view, j *job) (failed bool) {
	if g.ifChanged && j.future.Result() == nil {
		mark.Set(j.filename, j.future.Object().ETag)
	}
	g.reports.Lock()
	defer g.reports.Unlock()
	if reason := g.excuse(j.future.Result()); reason != "" {
		g.tally.skip(reason)
		v.skip(j, reason)
		return false
	}
	g.tally.count(j.future)
	v.end(j)
	return g.tally.failed > 0
}

// skip counts and reports an object that is not downloaded.
func (g *getter) skip(v view, j *job, reason string) {
	g.reports.Lock()
	defer g.reports.Unlock()
	g.tally.skip(reason)
	v.skip(j, reason)
}

// plan counts and reports what would be done.
func (g *getter) plan(v view, action string, j *job) {
	g.reports.Lock()
	defer g.reports.Unlock()
	g.tally.planned++
	g.tally.plannedBytes += max(0, j.size)
	v.plan(action, j)
}

// excuse returns why an error is no failure with these arguments, or "".
func (g *getter) excuse(err error) string {
	switch {
	case errors.Is(err, processpool.ErrNotModified) && g.ifChanged:
		return unchanged
	case errors.Is(err, processpool.ErrExists) && g.noClobber:
		return existing
	case isArchived(err) && g.skipArchived:
		return archived
	}
	return ""
}

// isArchived reports whether S3 has refused an object because it must be restored first
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
func isArchived(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "InvalidObjectState"
}
