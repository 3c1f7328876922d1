// Package ask makes the few requests to S3 that the library does not: listings for people, and the
// HeadObject of a tool.
package ask

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Client is an S3 client that finds the region of a bucket. It is for one goroutine.
type Client struct {
	cfg    aws.Config
	client *s3.Client
	region func(*s3.Options)
}

// New returns a Client.
func New(cfg aws.Config, optFns ...func(*s3.Options)) *Client {
	return &Client{cfg, s3.NewFromConfig(cfg, optFns...), func(*s3.Options) {}}
}

// Do calls do, and once more if the bucket is in another region, which all later calls then use.
func Do[T any](c *Client, do func(*s3.Client, func(*s3.Options)) (T, error)) (T, error) {
	answer, err := do(c.client, c.region)
	var response *awshttp.ResponseError
	if err == nil || !errors.As(err, &response) || response.Response == nil || response.Response.Response == nil {
		return answer, err
	}
	region := response.Response.Header.Get("X-Amz-Bucket-Region")
	if region == "" || region == c.cfg.Region {
		return answer, err
	}
	c.region = func(o *s3.Options) { o.Region = region }
	return do(c.client, c.region)
}
