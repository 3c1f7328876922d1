package fetch

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// Head asks what the object is.
func (c *Client) Head(ctx context.Context, job *ipc.Job, onRetry Retrying) (ipc.Object, error) {
	input := &s3.HeadObjectInput{
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
	var object ipc.Object
	err := c.attempts(ctx, onRetry, func(ctx context.Context, _ *watch) (bool, error) {
		out, err := c.s3.HeadObject(ctx, input)
		if err != nil {
			return false, err
		}
		if out.ContentLength == nil || *out.ContentLength < 0 {
			return false, fmt.Errorf("%w: HeadObject names no Content-Length", failure.ErrUnexpected)
		}
		object = objectOfHead(out)
		return false, nil
	})
	return object, err
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
