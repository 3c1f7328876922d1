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

// unknown are well-formed version ids that no object has: a ULID and a UUID.
var unknown = map[*product]string{
	versitygw: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
	minio:     "4d2ef5a0-5b3c-4c7e-9a55-0c0b1a6f3f0e",
}

// TestRefused makes each request twice: first with a HeadObject, whose error response has no body,
// so that a GetObject of a byte tells the code, and then with ExpectedSize and a GetObject only. A
// successful download with the same Downloader follows.
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
				head:  refusal{status: always(403), code: code("SignatureDoesNotMatch")},
				get:   refusal{status: always(403), code: code("SignatureDoesNotMatch")},
			},
			{
				name:  "unknown access key",
				fault: fault{accessKey: "AKIDNOBODY"},
				head: refusal{
					status: map[*product]int{versitygw: 404, minio: 403},
					code:   map[*product]string{versitygw: "XAdminUserNotFound", minio: "InvalidAccessKeyId"},
				},
				get: refusal{
					status: map[*product]int{versitygw: 404, minio: 403},
					code:   map[*product]string{versitygw: "XAdminUserNotFound", minio: "InvalidAccessKeyId"},
				},
			},
			{
				name:  "missing bucket",
				fault: fault{bucket: "no-such-bucket"},
				head:  refusal{status: always(404), code: code("NoSuchBucket"), is: is[*types.NotFound]},
				get:   refusal{status: always(404), code: code("NoSuchBucket"), is: is[*types.NoSuchBucket]},
			},
			{
				name:  "missing key",
				fault: fault{key: "not there"},
				head:  refusal{status: always(404), code: code("NoSuchKey"), is: is[*types.NotFound]},
				get:   refusal{status: always(404), code: code("NoSuchKey"), is: is[*types.NoSuchKey]},
			},
			{
				name:  "missing version",
				fault: fault{version: unknown[s.product]},
				head:  refusal{status: always(404), code: code("NoSuchVersion"), is: is[*types.NotFound]},
				get:   refusal{status: always(404), code: code("NoSuchVersion")},
			},
			{
				name:  "malformed version",
				fault: fault{version: "no version's id"},
				head:  refusal{status: always(400), code: code("InvalidArgument")},
				get:   refusal{status: always(400), code: code("InvalidArgument")},
			},
		} {
			t.Run(c.name, func(t *testing.T) {
				asker.set(or(c.fault.accessKey, accessKey))
				d, good := d, d
				if c.fault.secretKey != "" {
					// The signer of the SDK caches the key that it has derived from a secret, by
					// access key and for a day. A worker that has seen the wrong secret keeps using
					// it.
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

// asker is a provider of credentials that have already expired, so that each request uses the
// latest access key.
type asker struct {
	latest atomic.Pointer[aws.Credentials]
}

func (a *asker) set(accessKey string) {
	a.latest.Store(&aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey, CanExpire: true, Expires: time.Unix(1, 0)})
}

func (a *asker) Retrieve(context.Context) (aws.Credentials, error) { return *a.latest.Load(), nil }
