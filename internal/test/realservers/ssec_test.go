//go:build realservers && linux

package realservers

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// TestCustomerKey checks that HeadObject and every GetObject contain the customer key. versitygw
// ignores the key, and MinIO accepts it over TLS only.
func TestCustomerKey(t *testing.T) {
	leak.Check(t)
	s := start(t, minio, secure)
	d := newDownloader(t, s)
	secret, other := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	for _, c := range []struct {
		name     string
		way      way
		verified string
	}{
		{"put", onePut, "CRC64NVME full object"},
		{"put, no checksum", way{bare: true}, ""}, // the ETag is not the MD5 of the bytes
		{"parts", inParts, "CRC64NVME full object"},
	} {
		c.way.secret = secret
		for _, size := range []int64{1, chunk + 1, 20 * mib} {
			t.Run(fmt.Sprintf("%s/size=%d", c.name, size), func(t *testing.T) {
				up := s.upload(t, c.name, newContent(1, size), c.way)
				if got := fetch(t, d, up, with(secret)).Verified; got != c.verified {
					t.Errorf("verified: got %q, want %q", got, c.verified)
				}
				fetch(t, d, up, with(secret), expecting(size))

				r := request{bucket: bucket, key: up.key}
				refused(t, s, d, r, refusal{op: "head", status: always(400)})
				r.optFns = append(r.optFns, with(other))
				refused(t, s, d, r, refusal{op: "head", status: always(403)})
				r.optFns = append(r.optFns, expecting(size))
				refused(t, s, d, r, refusal{op: "get", status: always(403)})
			})
		}
	}
}

func with(secret []byte) func(*processpool.DownloadOptions) {
	return func(o *processpool.DownloadOptions) { o.ExtraArgs = customerKey(secret) }
}
