package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/failure"
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
			return false, unreadable(err)
		}
		page, err = pageOf(out, job.List)
		return false, err
	})
	return page, err
}

// unreadable makes retryable the error of a 200 whose body broke off or is not a listing. The SDK
// does not retry it.
func unreadable(err error) error {
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() == http.StatusOK {
		return fmt.Errorf("%w: %w", failure.ErrUnexpected, err)
	}
	return err
}

// pageOf checks a page against the request. A key with another prefix would become a file of
// another name, and a token that was used already would have the listing never end.
func pageOf(out *s3.ListObjectsV2Output, asked *ipc.List) (*ipc.Page, error) {
	page := &ipc.Page{Entries: make([]ipc.Entry, 0, len(out.Contents))}
	for _, o := range out.Contents {
		key := aws.ToString(o.Key)
		if out.EncodingType == types.EncodingTypeUrl { // not every server encodes them
			var err error
			if key, err = url.QueryUnescape(key); err != nil {
				return nil, fmt.Errorf("%w: ListObjectsV2 returned a key that is not url-encoded: %w", failure.ErrUnexpected, err)
			}
		}
		if !strings.HasPrefix(key, asked.Prefix) {
			return nil, fmt.Errorf("%w: ListObjectsV2 returned the key %q, which does not begin with %q",
				failure.ErrUnexpected, key, asked.Prefix)
		}
		page.Entries = append(page.Entries, ipc.Entry{
			Key:          []byte(key),
			Size:         aws.ToInt64(o.Size),
			ETag:         aws.ToString(o.ETag),
			LastModified: aws.ToTime(o.LastModified),
			StorageClass: string(o.StorageClass),
		})
	}
	if aws.ToBool(out.IsTruncated) {
		page.Next = aws.ToString(out.NextContinuationToken)
		if page.Next == "" || page.Next == asked.Token {
			return nil, fmt.Errorf("%w: ListObjectsV2 returned a truncated page without a new token", failure.ErrUnexpected)
		}
	}
	return page, nil
}
