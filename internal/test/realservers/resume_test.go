//go:build realservers && linux

package realservers

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// TestResume cancels a download half-way and resumes it with another pool and other ranges. Then it
// overwrites the object, and the download starts from the beginning.
func TestResume(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for _, w := range []way{onePut, inParts} {
			up := s.upload(t, "resumed", newContent(7, 64*mib), w)
			name := filepath.Join(t.TempDir(), destination)
			cutOff(t, s, up, name)
			d := newDownloader(t, s, func(c *processpool.Config) {
				c.MultipartChunksize, c.MaxRequestProcesses = 3*mib+1, 3
			})
			if o := resume(t, d, up, name); o.Resumed == 0 {
				t.Errorf("nothing of the %d bytes was kept", o.Size)
			}
			cutOff(t, s, up, name)
			up = s.upload(t, "resumed", newContent(8, 64*mib), w)
			if o := resume(t, d, up, name); o.Resumed != 0 {
				t.Errorf("%d bytes of another version were kept", o.Resumed)
			}
			leak.Files(t, filepath.Dir(name), destination)
		}
	}, plain)
}

// cutOff starts a download and cancels it when half of the object has arrived.
func cutOff(t *testing.T, s *server, up uploaded, name string) {
	t.Helper()
	d := newDownloader(t, s, func(c *processpool.Config) { c.MultipartChunksize = mib })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := d.DownloadFile(ctx, bucket, up.key, name, resumable, func(o *processpool.DownloadOptions) {
		o.OnProgress = func(p processpool.Progress) {
			if p.BytesDone > p.BytesTotal/2 {
				cancel()
			}
		}
	}).Result()
	if !errors.Is(err, processpool.ErrCanceled) {
		t.Errorf("got error %v, want ErrCanceled", err)
	}
}

func resume(t *testing.T, d *processpool.Downloader, up uploaded, name string) processpool.Object {
	t.Helper()
	f := d.DownloadFile(t.Context(), bucket, up.key, name, resumable)
	if err := f.Result(); err != nil {
		t.Error(err)
	} else if got, want := sha256OfFile(t, name), up.content.sha256(); got != want {
		t.Errorf("got a file of SHA-256 %s, want %s", got, want)
	}
	return f.Object()
}

func resumable(o *processpool.DownloadOptions) { o.Resume = true }
