package fetch

import (
	"errors"
	"sync"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// regions remembers the buckets that are in another region than the client's. S3 names the region
// when it refuses a request that went to the wrong one
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingRouting.html). Its methods may be
// called concurrently.
type regions struct {
	mu struct {
		sync.RWMutex
		byBucket map[string]string
	}
}

// of returns an option for one request that sets the bucket's region, if it is known.
func (r *regions) of(bucket string) func(*s3.Options) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	region, known := r.mu.byBucket[bucket]
	return func(o *s3.Options) {
		if known {
			o.Region = region
		}
	}
}

// learn takes the bucket's region from a refusal and reports whether it is new.
func (r *regions) learn(bucket string, err error) bool {
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil || response.Response.Response == nil {
		return false
	}
	switch response.HTTPStatusCode() {
	case 301, 307, 400: // PermanentRedirect, TemporaryRedirect, AuthorizationHeaderMalformed
	default:
		return false
	}
	region := response.Response.Header.Get("X-Amz-Bucket-Region")
	r.mu.Lock()
	defer r.mu.Unlock()
	if region == "" || r.mu.byBucket[bucket] == region {
		return false
	}
	if r.mu.byBucket == nil {
		r.mu.byBucket = map[string]string{}
	}
	r.mu.byBucket[bucket] = region
	return true
}
