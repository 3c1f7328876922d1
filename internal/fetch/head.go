package fetch

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/answer"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// Head asks for the object's description and, if job.Head.Layout asks and only checksums of parts
// can verify the object, for the boundaries of its parts. Of job.Head.Range only checksums of parts
// can verify the bytes: Head asks for those too.
func (c *Client) Head(ctx context.Context, job *ipc.Job, onRetry Retrying) (*ipc.HeadResult, error) {
	input := headInput(job)
	input.IfMatch, input.IfNoneMatch = ifMatch(job.Head.IfMatch), optional(job.Head.IfNoneMatch)
	var object ipc.Object
	renewed := false
	err := c.attempts(ctx, job.Bucket, onRetry, func(ctx context.Context, w *watch) (bool, error) {
		out, err := c.s3.HeadObject(ctx, input, c.regions.of(job.Bucket))
		if err != nil {
			return false, c.refused(ctx, w, job, &renewed, conditional(answer.Error(err)))
		}
		if object, err = answer.Head(out, job); err == nil {
			err = conditions(object.ETag, job.Head.IfMatch, job.Head.IfNoneMatch)
		}
		if err != nil || object.Size > 0 {
			return false, err
		}
		w.alive()
		if object.Size, err = c.size(ctx, job, &object); err != nil {
			return false, err
		}
		return false, answer.CheckEmpty("GetObject", &object)
	})
	if err != nil {
		return nil, err
	}
	result := &ipc.HeadResult{Object: object}
	first, end, ok := job.Head.Range.In(object.Size)
	whole := ok && first == 0 && end == object.Size
	switch {
	case !ok || !job.Head.Layout:
	case whole && proof.NeedsLayout(object.Stored):
		result.Object.Layout, err = c.layout(ctx, job, &object, onRetry)
	case !whole && proof.OfPartSums(object.Stored):
		result.Object.Layout, result.Parts, err = c.rangeParts(ctx, job, &object, first, end, onRetry)
	}
	if err != nil {
		return nil, err
	}
	return result, nil
}

// conditional adds to an error what it means if it is the answer to a condition.
func conditional(err error) error {
	switch answer.Status(err) {
	case http.StatusPreconditionFailed:
		return fmt.Errorf("%w: %w", failure.ErrObjectChanged, err)
	case http.StatusNotModified:
		return fmt.Errorf("%w: %w", failure.ErrNotModified, err)
	}
	return err
}

// conditions checks the caller's conditions against an answer: some servers ignore them.
func conditions(etag, match, noneMatch string) error {
	switch {
	case noneMatch != "" && etag != "" && answer.SameETag(etag, noneMatch):
		return fmt.Errorf("%w: its ETag is %s", failure.ErrNotModified, etag)
	case match != "" && etag != "" && !answer.SameETag(etag, match):
		return fmt.Errorf("%w: its ETag is %s, and not %s", failure.ErrObjectChanged, etag, match)
	}
	return nil
}

func headInput(job *ipc.Job) *s3.HeadObjectInput {
	return &s3.HeadObjectInput{
		Bucket:               aws.String(job.Bucket),
		Key:                  aws.String(job.Key),
		ChecksumMode:         types.ChecksumMode(job.Args.ChecksumMode),
		VersionId:            optional(job.Args.VersionID),
		SSECustomerAlgorithm: optional(job.Args.SSECustomerAlgorithm),
		SSECustomerKey:       optional(job.Args.SSECustomerKey),
		SSECustomerKeyMD5:    optional(job.Args.SSECustomerKeyMD5),
		RequestPayer:         types.RequestPayer(job.Args.RequestPayer),
		ExpectedBucketOwner:  optional(job.Args.ExpectedBucketOwner),
	}
}

// optional returns nil for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// ifMatch returns the If-Match for an ETag. It is nil for a weak one, which would never match:
// If-Match compares strongly (RFC 9110, 13.1.1).
func ifMatch(etag string) *string {
	if strings.HasPrefix(etag, "W/") {
		return nil
	}
	return optional(etag)
}
