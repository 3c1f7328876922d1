//go:build realservers && linux

package realservers

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// uploads are the ways to upload an object, and the checksum that can verify it.
var uploads = []struct {
	name     string
	way      way
	verified string // prefix of Object().Verified; "": not checked, only logged
}{
	{name: "put/CRC64NVME", way: onePut, verified: "CRC64NVME full object"},
	{name: "put/no checksum", way: way{bare: true}},
	{name: "parts/CRC64NVME", way: inParts, verified: "CRC64NVME full object"},
	{
		name:     "parts/CRC32C full object",
		way:      way{partSize: partSize, algorithm: types.ChecksumAlgorithmCrc32c, kind: types.ChecksumTypeFullObject},
		verified: "CRC32C full object",
	},
	{
		name:     "parts/SHA256 composite",
		way:      way{partSize: partSize, algorithm: types.ChecksumAlgorithmSha256, kind: types.ChecksumTypeComposite},
		verified: "SHA256 composite",
	},
	{name: "parts/no checksum", way: way{partSize: partSize, bare: true}},
}

var sizes = []int64{0, 1, chunk - 1, chunk, chunk + 1, 20 * mib}

func TestDownload(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		d := newDownloader(t, s)
		for i, u := range uploads {
			for j, size := range sizes {
				t.Run(fmt.Sprintf("%s/size=%d", u.name, size), func(t *testing.T) {
					c := newContent(uint64(100*i+j), size)
					up := s.upload(t, fmt.Sprintf("%s/%d", u.name, size), c, u.way)
					verified := fetch(t, d, up).Verified
					// MinIO stores no CRC for empty parts, because it treats the value 0 as
					// missing.
					if u.verified == "" || u.way.partSize > 0 && size == 0 {
						t.Logf("verified: %q", verified)
					} else if !strings.HasPrefix(verified, u.verified) {
						t.Errorf("verified: got %q, want %q", verified, u.verified)
					}
				})
			}
		}
	}, plain, secure)
}

// destination is the name of the downloaded file. Each download has a folder of its own.
const destination = "file"

// fetch downloads an uploaded object, and compares the file and the Object with it.
func fetch(t *testing.T, d *processpool.Downloader, up uploaded, optFns ...func(*processpool.DownloadOptions)) processpool.Object {
	t.Helper()
	dir := t.TempDir()
	f := d.DownloadFile(context.Background(), bucket, up.key, filepath.Join(dir, destination), optFns...)
	if err := f.Result(); err != nil {
		t.Fatal(err)
	}
	return check(t, f, up)
}

// check compares the file and the Object of a successful future with the uploaded object.
func check(t *testing.T, f *processpool.Future, up uploaded) processpool.Object {
	t.Helper()
	name := f.Meta().Filename
	leak.Files(t, filepath.Dir(name), destination)
	if got, want := sha256OfFile(t, name), up.sha256(); got != want {
		t.Errorf("%q: the file has SHA-256 %s, the object %s", up.key, got, want)
	}
	o := f.Object()
	if o.Size != up.size() {
		t.Errorf("%q: Size: got %d, want %d", up.key, o.Size, up.size())
	}
	if o.ETag != up.etag {
		t.Errorf("%q: ETag: got %s, want %s", up.key, o.ETag, up.etag)
	}
	if o.VersionId != up.version {
		t.Errorf("%q: VersionId: got %q, want %q", up.key, o.VersionId, up.version)
	}
	if o.LastModified.IsZero() {
		t.Errorf("%q: LastModified is not set", up.key)
	}
	return o
}
