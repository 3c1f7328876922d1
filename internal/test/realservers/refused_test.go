//go:build realservers && linux

package realservers

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// unknown are versions of the right form that no object has: a ULID, a UUID.
var unknown = map[*product]string{
	versitygw: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
	minio:     "4d2ef5a0-5b3c-4c7e-9a55-0c0b1a6f3f0e",
}

// TestRefused goes both ways to S3: by HeadObject, whose refusal has no body, and with
// ExpectedSize, by GetObject alone. A good download follows each on the same
// Downloader.
func TestRefused(t *testing.T) {
	type fault struct {
		bucket, key, version string
		accessKey, secretKey string
	}
	each(t, func(t *testing.T, s *server) {
		s.enableVersions(t)
		up := s.upload(t, "there", newContent(1, chunk+1), way{})
		asker := &asker{}
		cfg := s.config()
		cfg.Credentials = asker
		d := newDownloaderOf(t, cfg, s)

		for _, c := range []struct {
			name      string
			fault     fault
			head, get refusal
		}{
			{
				name:  "wrong secret",
				fault: fault{secretKey: "guessed"},
				head:  refusal{status: always(403), code: code("Forbidden")},
				get:   refusal{status: always(403), code: code("SignatureDoesNotMatch")},
			},
			{
				name:  "unknown access key",
				fault: fault{accessKey: "AKIDNOBODY"},
				head: refusal{
					status: map[*product]int{versitygw: 404, minio: 403},
					code:   map[*product]string{versitygw: "NotFound", minio: "Forbidden"},
				},
				get: refusal{
					status: map[*product]int{versitygw: 404, minio: 403},
					code:   map[*product]string{versitygw: "XAdminUserNotFound", minio: "InvalidAccessKeyId"},
				},
			},
			{
				name:  "missing bucket",
				fault: fault{bucket: "no-such-bucket"},
				head:  refusal{status: always(404), is: is[*types.NotFound]},
				get:   refusal{status: always(404), code: code("NoSuchBucket"), is: is[*types.NoSuchBucket]},
			},
			{
				name:  "missing key",
				fault: fault{key: "not there"},
				head:  refusal{status: always(404), is: is[*types.NotFound]},
				get:   refusal{status: always(404), code: code("NoSuchKey"), is: is[*types.NoSuchKey]},
			},
			{
				name:  "missing version",
				fault: fault{version: unknown[s.product]},
				head:  refusal{status: always(404), is: is[*types.NotFound]},
				get:   refusal{status: always(404), code: code("NoSuchVersion")},
			},
			{
				name:  "malformed version",
				fault: fault{version: "no version's id"},
				head:  refusal{status: always(400), code: code("BadRequest")},
				get:   refusal{status: always(400), code: code("InvalidArgument")},
			},
		} {
			t.Run(c.name, func(t *testing.T) {
				asker.set(or(c.fault.accessKey, accessKey))
				d, good := d, d
				if c.fault.secretKey != "" {
					// The SDK's signer keeps for the day what it has derived from the first
					// secret it saw of an access key: these workers cannot be reformed.
					cfg.Credentials = credentials.NewStaticCredentialsProvider(accessKey, c.fault.secretKey, "")
					d = newDownloaderOf(t, cfg, s)
				}
				r := request{bucket: or(c.fault.bucket, bucket), key: or(c.fault.key, up.key)}
				if c.fault.version != "" {
					r.optFns = append(r.optFns, version(c.fault.version))
				}
				c.head.op, c.get.op = "head", "get"
				refused(t, s, d, r, c.head)
				r.optFns = append(r.optFns, expecting(up.size()))
				refused(t, s, d, r, c.get)

				asker.set(accessKey)
				fetch(t, good, up)
			})
		}
	}, plain, secure)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// asker hands out credentials that have expired on arrival, so that each request bears
// the latest access key.
type asker struct {
	latest atomic.Pointer[aws.Credentials]
}

func (a *asker) set(accessKey string) {
	a.latest.Store(&aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey, CanExpire: true, Expires: time.Unix(1, 0)})
}

func (a *asker) Retrieve(context.Context) (aws.Credentials, error) { return *a.latest.Load(), nil }
