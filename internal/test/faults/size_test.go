package faults_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A HeadObject that says 0 bytes of an object that has some must not make an empty file.
func TestSizeZeroIsConfirmed(t *testing.T) {
	for name, options := range map[string][]func(*processpool.DownloadOptions){
		"plain":  nil,
		"resume": {harness.Resume},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			origin.Put("b", "empty", nil)
			origin.Inject(s3test.Fault{Method: "HEAD", Key: "k", Header: map[string]string{
				"Content-Length": "0", "x-amz-checksum-crc64nvme": "", "x-amz-checksum-type": "",
			}})
			d := harness.NewDownloader(t, origin, harness.Quickly)
			err := harness.Download(t, d, "k", filepath.Join(dir, "file"), options...)
			harness.WantError(t, err, failure.ErrUnexpected)
			leak.Files(t, dir)

			f := d.DownloadFile(t.Context(), "b", "empty", filepath.Join(dir, "empty"), options...)
			if err := harness.Result(t, f); err != nil {
				t.Error(err)
			}
			if o := f.Object(); o.Size != 0 || o.Verified == "" || o.ETag == "" {
				t.Errorf("got %+v, want an empty object that is verified", o)
			}
			leak.Files(t, dir, "empty")
			if gets := harness.Requests(origin, "GET"); len(gets) < 2 || gets[len(gets)-1].IfMatch == "" {
				t.Errorf("got %d GETs, want one that confirms the size, pinned", len(gets))
			}
		})
	}
}

// What a listing says of an object, and what an answer with the same ETag says, must agree.
func TestListingContradicted(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Put("b", "changed", harness.Content)
	origin.Inject(s3test.Fault{Method: "GET", Key: "k", Header: map[string]string{
		"Content-Length": "0", "x-amz-checksum-crc64nvme": "", "x-amz-checksum-type": "",
	}})
	origin.Inject(s3test.Fault{Method: "GET", Key: "changed", Times: 1, Do: func(s *s3test.Server, _ s3test.Request) {
		s.Put("b", "changed", []byte("longer than it was"))
	}})
	d := harness.NewDownloader(t, origin, harness.Quickly, harness.Verify(processpool.VerifyOff))
	all := harness.Directory(t, d, "", dir)
	var directory *processpool.DirectoryError
	if err := all.Result(); !errors.As(err, &directory) || directory.Failed != 1 || !strings.Contains(err.Error(), "listing says 10 bytes") {
		t.Errorf("got %v, want one failure that names the listing", all.Result())
	}
	harness.WantContent(t, filepath.Join(dir, "changed"), []byte("longer than it was"))
	leak.Files(t, dir, "changed")
}
