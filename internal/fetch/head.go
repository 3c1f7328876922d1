package fetch

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// Head asks what the object is.
func (c *Client) Head(ctx context.Context, job *ipc.Job, onRetry Retrying) (ipc.Object, error) {
	input := headInput(job)
	var object ipc.Object
	err := c.attempts(ctx, job.Bucket, onRetry, func(ctx context.Context, _ *watch) (bool, error) {
		out, err := c.s3.HeadObject(ctx, input, c.regions.of(job.Bucket))
		if err != nil {
			return false, err
		}
		if out.ContentLength == nil || *out.ContentLength < 0 {
			return false, fmt.Errorf("%w: HeadObject names no Content-Length", failure.ErrUnexpected)
		}
		object = objectOfHead(out)
		return false, nil
	})
	if err == nil && job.Choose && proof.NeedsLayout(object.Stored) {
		object.Layout, err = c.layout(ctx, job, &object, onRetry)
	}
	return object, err
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

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// pinned is an If-Match; RFC 9110, 13.1.1 compares strongly, so a weak tag would
// never match.
func pinned(etag string) *string {
	if strings.HasPrefix(etag, "W/") {
		return nil
	}
	return optional(etag)
}
