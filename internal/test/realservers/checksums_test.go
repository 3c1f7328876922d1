//go:build realservers && linux

package realservers

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/checksum"
)

// sum returns a digest of the content as S3 writes it.
func (c content) sum(a types.ChecksumAlgorithm) string {
	h := checksum.Algorithm(a).New()
	h.Write(c)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// give sets the field of a request, or of a part, with the checksum of the algorithm. The SDK does
// not compute all of them.
func give(to any, a types.ChecksumAlgorithm, value string) {
	reflect.ValueOf(to).Elem().FieldByName("Checksum" + string(a)).Set(reflect.ValueOf(&value))
}

// uploadSummed uploads an object with a checksum, in parts if partSize is not 0. The error is the
// server's.
func (s *server) uploadSummed(key string, c content, a types.ChecksumAlgorithm, partSize int64) error {
	ctx, bare := context.Background(), way{bare: true}.options
	if partSize == 0 {
		in := &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: bytes.NewReader(c)}
		give(in, a, c.sum(a))
		_, err := s.client.PutObject(ctx, in, bare)
		return err
	}
	begun, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: aws.String(bucket), Key: aws.String(key), ChecksumAlgorithm: a, ChecksumType: types.ChecksumTypeComposite,
	}, bare)
	if err != nil {
		return err
	}
	var parts []types.CompletedPart
	for off := int64(0); off < c.size(); off += partSize {
		number, p := aws.Int32(int32(len(parts)+1)), c[off:min(off+partSize, c.size())]
		in := &s3.UploadPartInput{
			Bucket: aws.String(bucket), Key: aws.String(key), UploadId: begun.UploadId, PartNumber: number, Body: bytes.NewReader(p),
		}
		give(in, a, p.sum(a))
		out, err := s.client.UploadPart(ctx, in, bare)
		if err != nil {
			return err
		}
		part := types.CompletedPart{PartNumber: number, ETag: out.ETag}
		give(&part, a, p.sum(a))
		parts = append(parts, part)
	}
	_, err = s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(bucket), Key: aws.String(key), UploadId: begun.UploadId, ChecksumType: types.ChecksumTypeComposite,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}, bare)
	return err
}

// Each checksum that a server keeps verifies the object, in one range, read back, and by its parts.
func TestChecksums(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		d := newDownloader(t, s)
		for i, a := range types.ChecksumAlgorithm("").Values() {
			for _, object := range []struct {
				name           string
				size, partSize int64
				verified       string
			}{
				{"one range", mib, 0, string(a) + " full object"},
				{"read back", 2*chunk + 1, 0, string(a) + " full object"},
				{"parts", 2*chunk + 1, partSize, string(a) + " composite of 4 parts"},
			} {
				if object.partSize > 0 && a == types.ChecksumAlgorithmCrc64nvme {
					continue // there is none of parts
				}
				t.Run(fmt.Sprintf("%s/%s", a, object.name), func(t *testing.T) {
					key, c := fmt.Sprintf("%s %s", a, object.name), newContent(uint64(i), object.size)
					if err := s.uploadSummed(key, c, a, object.partSize); err != nil {
						if s.name == "versitygw" {
							t.Fatal(err)
						}
						t.Logf("%s does not take it: %v", s.name, err)
						return
					}
					file := filepath.Join(t.TempDir(), destination)
					f := d.DownloadFile(context.Background(), bucket, key, file, func(o *processpool.DownloadOptions) {
						o.Verify = processpool.VerifyRequired
						o.Expect = []processpool.Checksum{{Algorithm: a, Value: c.sum(a)}}
					})
					if err := f.Result(); err != nil {
						t.Fatal(err)
					}
					if got := sha256OfFile(t, file); got != c.sha256() {
						t.Error("the file has other bytes")
					}
					o := f.Object()
					kept := slices.ContainsFunc(o.Checksums, func(k processpool.Checksum) bool { return k.Algorithm == a })
					switch {
					case !kept && s.name == "versitygw":
						t.Errorf("got the checksums %v", o.Checksums)
					case !kept:
						t.Logf("%s keeps %v, verified: %q", s.name, o.Checksums, o.Verified)
					case o.Verified != object.verified:
						t.Errorf("Verified: got %q, want %q", o.Verified, object.verified)
					}
				})
			}
		}
	}, plain)
}

// The caller's digests are compared, whatever the server keeps.
func TestExpect(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		d := newDownloader(t, s)
		up := s.upload(t, "k", newContent(1, 2*chunk+1), inParts)
		for _, a := range types.ChecksumAlgorithm("").Values() {
			right, wrong := processpool.Checksum{Algorithm: a, Value: up.sum(a)}, processpool.Checksum{Algorithm: a, Value: up.content[1:].sum(a)}
			fetch(t, d, up, func(o *processpool.DownloadOptions) { o.Expect = []processpool.Checksum{right} })
			file := filepath.Join(t.TempDir(), destination)
			err := d.DownloadFile(context.Background(), bucket, up.key, file, func(o *processpool.DownloadOptions) {
				o.Expect = []processpool.Checksum{wrong}
			}).Result()
			if !errors.Is(err, processpool.ErrChecksumMismatch) || !strings.Contains(err.Error(), string(a)) {
				t.Errorf("%s: got %v, want ErrChecksumMismatch", a, err)
			}
		}
	}, plain)
}
