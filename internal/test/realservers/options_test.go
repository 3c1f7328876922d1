//go:build realservers && linux

package realservers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
)

// The server's answers to conditions are told apart, whichever request asks first.
func TestConditions(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		d := newDownloader(t, s)
		up := s.upload(t, "k", newContent(1, 2*chunk+1), onePut)
		for name, way := range map[string]func(*processpool.DownloadOptions){
			"HeadObject":   func(*processpool.DownloadOptions) {},
			"SkipHead":     func(o *processpool.DownloadOptions) { o.SkipHead = true },
			"ExpectedSize": expecting(up.size()),
		} {
			t.Run(name, func(t *testing.T) {
				fetch(t, d, up, way, func(o *processpool.DownloadOptions) { o.IfMatch = up.etag })
				fetch(t, d, up, way, func(o *processpool.DownloadOptions) { o.IfNoneMatch = `"00000000000000000000000000000000"` })
				for want, set := range map[error]func(*processpool.DownloadOptions){
					processpool.ErrNotModified:   func(o *processpool.DownloadOptions) { o.IfNoneMatch = strings.Trim(up.etag, `"`) },
					processpool.ErrObjectChanged: func(o *processpool.DownloadOptions) { o.IfMatch = `"00000000000000000000000000000000"` },
				} {
					file := filepath.Join(t.TempDir(), destination)
					if err := d.DownloadFile(context.Background(), bucket, up.key, file, way, set).Result(); !errors.Is(err, want) {
						t.Errorf("got %v, want %v", err, want)
					}
					if _, err := os.Lstat(file); err == nil {
						t.Errorf("%v: there is a file", want)
					}
				}
			})
		}
	}, plain)
}

// What the server keeps of the object arrives in the Object, by either request.
func TestObject(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		d := newDownloader(t, s)
		c := newContent(1, 100)
		out, err := s.client.PutObject(context.Background(), &s3.PutObjectInput{
			Bucket: aws.String(bucket), Key: aws.String("k"), Body: bytes.NewReader(c),
			ContentType: aws.String("application/x-model"), ContentEncoding: aws.String("gzip"),
			Metadata: map[string]string{"a": "1", "b-c": "two"}, ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
		})
		if err != nil {
			t.Fatal(err)
		}
		up := uploaded{key: "k", etag: aws.ToString(out.ETag), version: aws.ToString(out.VersionId), content: c}
		for name, set := range map[string]func(*processpool.DownloadOptions){
			"HeadObject": func(*processpool.DownloadOptions) {},
			"SkipHead":   func(o *processpool.DownloadOptions) { o.SkipHead = true },
		} {
			o := fetch(t, d, up, set)
			if o.ContentType != "application/x-model" || o.ContentEncoding != "gzip" || o.Metadata["a"] != "1" || o.Metadata["b-c"] != "two" {
				t.Errorf("%s: got %+v", name, o)
			}
			want := processpool.Checksum{Algorithm: types.ChecksumAlgorithmSha256, Value: aws.ToString(out.ChecksumSHA256)}
			if want.Value == "" || !slices.Contains(o.Checksums, want) {
				t.Errorf("%s: got checksums %v, want %v among them", name, o.Checksums, want)
			}
		}
	}, plain)
}

// Ranges arrive in an open file. One of whole parts is verified where the server lists the parts.
func TestRange(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		d := newDownloader(t, s)
		c := newContent(1, 2*partSize+3)
		up := s.upload(t, "k", c, way{partSize: partSize, algorithm: types.ChecksumAlgorithmCrc32c, kind: types.ChecksumTypeComposite})
		for name, way := range map[string]func(*processpool.DownloadOptions){
			"HeadObject":   func(*processpool.DownloadOptions) {},
			"SkipHead":     func(o *processpool.DownloadOptions) { o.SkipHead = true },
			"ExpectedSize": expecting(up.size()),
		} {
			for _, r := range []processpool.Range{
				{}, {Length: 1}, {Offset: 7, Length: 100}, {Offset: partSize, Length: partSize}, {Offset: partSize}, {Offset: up.size() - 1},
			} {
				t.Run(fmt.Sprintf("%s,%d+%d", name, r.Offset, r.Length), func(t *testing.T) {
					f, err := os.Create(filepath.Join(t.TempDir(), destination))
					if err != nil {
						t.Fatal(err)
					}
					defer f.Close()
					o, err := d.DownloadTo(context.Background(), bucket, up.key, f, way, func(o *processpool.DownloadOptions) { o.Range = &r }).Wait(context.Background())
					if err != nil {
						t.Fatal(err)
					}
					end := up.size()
					if r.Length > 0 {
						end = r.Offset + r.Length
					}
					got, err := io.ReadAll(f)
					if err != nil || !bytes.Equal(got, c[r.Offset:end]) {
						t.Errorf("got %d bytes that are not those of the range, %v", len(got), err)
					}
					t.Logf("verified: %q", o.Verified)
				})
			}
			err := d.DownloadFile(context.Background(), bucket, up.key, filepath.Join(t.TempDir(), destination), way, func(o *processpool.DownloadOptions) {
				o.Range = &processpool.Range{Offset: up.size() - 1, Length: 2}
			}).Result()
			if !errors.Is(err, processpool.ErrSizeMismatch) {
				t.Errorf("%s: got %v, want ErrSizeMismatch for a range beyond the end", name, err)
			}
		}
	}, plain)
}
