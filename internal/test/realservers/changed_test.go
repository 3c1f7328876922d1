//go:build realservers && linux

package realservers

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/s3processpool/processpool"
)

// TestChanged overwrites an object with one of the same size during its download. It stops the
// worker meanwhile, when most of the ranges are still to be downloaded.
func TestChanged(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		old := s.upload(t, "key", newContent(1, 20*mib), onePut)
		d := newDownloader(t, s, func(c *processpool.Config) {
			c.MaxRequestProcesses, c.MultipartChunksize = 1, mib/16
		})
		var overwritten uploaded
		overwrite := sync.OnceFunc(func() {
			signal(t, s, syscall.SIGSTOP)
			defer signal(t, s, syscall.SIGCONT)
			next := newContent(2, old.size())
			etag, _, err := s.put("key", next, onePut)
			if err != nil {
				t.Errorf("overwrite: %v", err)
			}
			overwritten = uploaded{key: "key", etag: aws.ToString(etag), content: next}
		})
		name := filepath.Join(t.TempDir(), destination)
		writeFile(t, name, []byte("before"))
		err := d.DownloadFile(context.Background(), bucket, "key", name, func(o *processpool.DownloadOptions) {
			o.OnProgress = func(p processpool.Progress) {
				if p.BytesDone > 0 {
					overwrite()
				}
			}
		}).Result()

		if !errors.Is(err, processpool.ErrObjectChanged) {
			t.Errorf("got error %v, want ErrObjectChanged", err)
		}
		var response *awshttp.ResponseError
		if !errors.As(err, &response) || response.HTTPStatusCode() != 412 {
			t.Errorf("got error %v, want status 412", err)
		}
		untouched(t, name)
		fetch(t, d, overwritten)
	}, plain)
}

func signal(t *testing.T, s *server, sig syscall.Signal) {
	t.Helper()
	for _, pid := range workers(t, s.pid) {
		if err := syscall.Kill(pid, sig); err != nil {
			t.Errorf("signal %d to worker %d: %v", sig, pid, err)
		}
	}
}
