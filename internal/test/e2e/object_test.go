package e2e_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Object has what S3 says of the object, whichever request told it.
func TestObject(t *testing.T) {
	for name, options := range map[string][]func(*processpool.DownloadOptions){
		"HeadObject":   nil,
		"SkipHead":     {harness.SkipHead},
		"ExpectedSize": {harness.Expect(int64(len(harness.Content)))},
		"Resume":       {harness.Resume},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content, func(o *s3test.Object) {
				o.ContentType = "text/plain"
				o.Header = map[string]string{
					"Content-Encoding": "identity", "X-Amz-Storage-Class": "STANDARD_IA",
					"X-Amz-Meta-Author": "somebody", "X-Amz-Meta-Empty": "",
				}
			})
			d := harness.NewDownloader(t, origin, harness.Multipart(100, 100))
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), options...)
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			o := f.Object()
			if o.ContentType != "text/plain" || o.ContentEncoding != "identity" || o.StorageClass != "STANDARD_IA" {
				t.Errorf("got %+v, want its type, encoding and class", o)
			}
			if o.Metadata["author"] != "somebody" {
				t.Errorf("got metadata %v, want the author", o.Metadata)
			}
			want := []processpool.Checksum{{Algorithm: types.ChecksumAlgorithmCrc64nvme, Value: o.Checksums[0].Value}}
			if !reflect.DeepEqual(o.Checksums, want) || want[0].Value == "" {
				t.Errorf("got checksums %v, want one CRC64NVME", o.Checksums)
			}
		})
	}
}
