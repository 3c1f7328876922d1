//go:build realservers && linux

package realservers

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
)

func TestVersions(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.enableVersions(t)
		d := newDownloader(t, s)
		const key = "often written"
		var ups []uploaded
		for i, size := range []int64{chunk + 1, 1, 2 * chunk} {
			up := s.upload(t, key, newContent(uint64(i), size), way{})
			if up.version == "" {
				t.Fatal("the server has no versions")
			}
			ups = append(ups, up)
		}
		for i, up := range ups {
			t.Run(fmt.Sprintf("version %d", i), func(t *testing.T) {
				fetch(t, d, up, version(up.version))
				fetch(t, d, up, version(up.version), expecting(up.size()))
			})
		}
		t.Run("latest", func(t *testing.T) {
			fetch(t, d, ups[2])
			fetch(t, d, ups[2], expecting(ups[2].size()))
		})

		_, err := s.client.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
		if err != nil {
			t.Fatal(err)
		}
		t.Run("deleted", func(t *testing.T) {
			r := request{bucket: bucket, key: key}
			refused(t, s, d, r, refusal{op: "head", status: always(404), is: is[*types.NotFound]})
			fetch(t, d, ups[2], version(ups[2].version))
		})
	}, plain, secure)
}

func version(id string) func(*processpool.DownloadOptions) {
	return func(o *processpool.DownloadOptions) { o.ExtraArgs.VersionId = id }
}

func (s *server) enableVersions(t *testing.T) {
	t.Helper()
	_, err := s.client.PutBucketVersioning(context.Background(), &s3.PutBucketVersioningInput{
		Bucket:                  aws.String(bucket),
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
}
