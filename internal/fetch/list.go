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

// List asks for one page of a bucket's keys: as many as S3 gives at once, 1000. They
// come url-encoded, for a key may hold characters that XML has no way to write
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).
func (c *Client) List(ctx context.Context, job *ipc.Job, onRetry Retrying) (*ipc.Page, error) {
	if job.List == nil {
		return nil, fmt.Errorf("%s does not say what to list", job.Op)
	}
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

// unreadable tells a success whose body broke off, or is no listing, from an error
// that S3 has answered with. The SDK takes neither for worth another attempt.
func unreadable(err error) error {
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() == http.StatusOK {
		return fmt.Errorf("%w: %w", failure.ErrUnexpected, err)
	}
	return err
}

// pageOf holds a page against what was asked. A key of another prefix would become
// a file of another name than its own, and a token that leads nowhere new would have
// the listing go round for ever.
func pageOf(out *s3.ListObjectsV2Output, asked *ipc.List) (*ipc.Page, error) {
	page := &ipc.Page{Entries: make([]ipc.Entry, 0, len(out.Contents))}
	for _, o := range out.Contents {
		key := aws.ToString(o.Key)
		if out.EncodingType == types.EncodingTypeUrl { // or the server does not know how
			var err error
			if key, err = url.QueryUnescape(key); err != nil {
				return nil, fmt.Errorf("%w: ListObjectsV2 has a key that is not url-encoded: %w", failure.ErrUnexpected, err)
			}
		}
		if !strings.HasPrefix(key, asked.Prefix) {
			return nil, fmt.Errorf("%w: ListObjectsV2 has the key %q, which does not begin with %q", failure.ErrUnexpected, key, asked.Prefix)
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
			return nil, fmt.Errorf("%w: ListObjectsV2 says that there is more, and not where", failure.ErrUnexpected)
		}
	}
	return page, nil
}
