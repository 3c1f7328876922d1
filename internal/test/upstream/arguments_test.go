package upstream_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// T6: invalid arguments are refused before any request, all of them in one error.
func TestT6Arguments(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	d := harness.NewDownloader(t, origin)
	name := filepath.Join(dir, "file")
	for _, c := range []struct {
		bucket, key, filename string
		args                  processpool.ExtraArgs
		want                  []string
	}{
		{"arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/my-olap", "k", name, processpool.ExtraArgs{}, []string{"Object Lambda"}},
		{"arn:aws-us-gov:s3-object-lambda:us-gov-west-1:123456789012:accesspoint:my-olap", "k", name, processpool.ExtraArgs{}, []string{"Object Lambda"}},
		{"", "", "", processpool.ExtraArgs{}, []string{"bucket", "key", "file"}},
		{"b", "not \xff UTF-8", name, processpool.ExtraArgs{}, []string{"UTF-8"}},
		{"b", "k", name, processpool.ExtraArgs{ChecksumMode: "ON", RequestPayer: "owner"}, []string{"ChecksumMode", "RequestPayer"}},
		{"b", "k", name, processpool.ExtraArgs{SSECustomerKey: "x"}, []string{"SSECustomerAlgorithm"}},
		{"b", "k", "nul\x00", processpool.ExtraArgs{}, []string{"NUL"}},
	} {
		f := d.DownloadFile(t.Context(), c.bucket, c.key, c.filename, func(o *processpool.DownloadOptions) { o.ExtraArgs = c.args })
		err := harness.Result(t, f)
		harness.WantError(t, err)
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q, %q, %q: got error %q, want one that names %q", c.bucket, c.key, c.filename, err, want)
			}
		}
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	leak.Files(t, dir)
}
