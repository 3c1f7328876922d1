//go:build realservers && linux

package realservers

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
)

// TestExpectedSize downloads without a HeadObject.
func TestExpectedSize(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		d := newDownloader(t, s)
		for _, size := range sizes {
			t.Run(fmt.Sprintf("size=%d", size), func(t *testing.T) {
				for _, w := range []way{onePut, inParts} {
					up := s.upload(t, "key", newContent(1, size), w)
					fetch(t, d, up, expecting(size))
				}
			})
		}
	}, plain)
}

func expecting(size int64) func(*processpool.DownloadOptions) {
	return func(o *processpool.DownloadOptions) { o.ExpectedSize = aws.Int64(size) }
}

// TestOtherSize sets an ExpectedSize that is not the size of the object. Servers differ in their
// responses to a range that is beyond the object or only partly within it.
func TestOtherSize(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		d := newDownloader(t, s)
		for _, c := range []struct{ size, expected int64 }{
			{0, 1}, {0, 2 * chunk},
			{1, 0}, {1, 2}, {2, 1},
			{chunk, chunk - 1}, {chunk, chunk + 1}, {chunk + 1, chunk},
			{2 * chunk, 2*chunk - 1}, {2 * chunk, 2*chunk + 1}, {2 * chunk, 3 * chunk},
		} {
			t.Run(fmt.Sprintf("size=%d/expected=%d", c.size, c.expected), func(t *testing.T) {
				up := s.upload(t, "key", newContent(1, c.size), way{})
				name := filepath.Join(t.TempDir(), destination)
				writeFile(t, name, []byte("before"))
				err := d.DownloadFile(context.Background(), bucket, up.key, name, expecting(c.expected)).Result()
				if !errors.Is(err, processpool.ErrSizeMismatch) {
					t.Errorf("got error %v, want ErrSizeMismatch", err)
				}
				untouched(t, name)
			})
		}
	}, plain)
}
