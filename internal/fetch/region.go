package fetch

import (
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/answer"
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

// news returns the bucket's region from a refusal that names another one than the request was made
// for; else "". It is not enough that the region is known by now: another slot's refusal may have
// told it while this request was under way.
func (r *regions) news(bucket string, err error) string {
	switch answer.Status(err) {
	case 301, 307, 400: // PermanentRedirect, TemporaryRedirect, AuthorizationHeaderMalformed
	default:
		return ""
	}
	region := answer.Region(err)
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.mu.byBucket[bucket] == region && !answer.SignedForAnother(err, region) {
		return ""
	}
	return region
}

// learn takes the bucket's region from a refusal and reports whether it is new.
func (r *regions) learn(bucket string, err error) bool {
	region := r.news(bucket, err)
	if region == "" {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.byBucket == nil {
		r.mu.byBucket = map[string]string{}
	}
	r.mu.byBucket[bucket] = region
	return true
}
