package fetch

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/answer"
	"github.com/s3processpool/processpool/internal/ipc"
)

// List asks for one page of a bucket's keys: the most that S3 returns at once, 1000. The keys come
// url-encoded, because a key may contain characters that XML cannot express
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).
func (c *Client) List(ctx context.Context, job *ipc.Job, onRetry Retrying) (*ipc.Page, error) {
	input := &s3.ListObjectsV2Input{
		Bucket:              aws.String(job.Bucket),
		Prefix:              optional(job.List.Prefix),
		Delimiter:           optional(job.List.Delimiter),
		ContinuationToken:   optional(job.List.Token),
		EncodingType:        types.EncodingTypeUrl,
		RequestPayer:        types.RequestPayer(job.Args.RequestPayer),
		ExpectedBucketOwner: optional(job.Args.ExpectedBucketOwner),
	}
	var page *ipc.Page
	err := c.attempts(ctx, job.Bucket, onRetry, func(ctx context.Context, _ *watch) (bool, error) {
		out, err := c.s3.ListObjectsV2(ctx, input, c.regions.of(job.Bucket))
		if err != nil {
			return false, answer.Error(err)
		}
		page, err = answer.Page(out, job.List)
		return false, err
	})
	return page, err
}
