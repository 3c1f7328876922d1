//go:build realservers && linux

package realservers

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
)

// way describes how an object is uploaded. The zero way is one PUT with the defaults of the SDK.
type way struct {
	partSize  int64                   // 0: one PUT
	algorithm types.ChecksumAlgorithm // "": the default of the SDK
	kind      types.ChecksumType      // for a multipart upload
	bare      bool                    // without a checksum
	secret    []byte                  // 32 bytes: encrypt with this customer key (SSE-C)
}

// The ways that most tests use.
var (
	onePut  = way{algorithm: types.ChecksumAlgorithmCrc64nvme}
	inParts = way{partSize: partSize, algorithm: types.ChecksumAlgorithmCrc64nvme, kind: types.ChecksumTypeFullObject}
)

// partSize neither divides the size of a chunk nor is a multiple of it.
const partSize = 5 * mib

// uploaded is an uploaded object.
type uploaded struct {
	key, etag, version string
	content
}

// upload uploads an object to the bucket.
func (s *server) upload(t *testing.T, key string, c content, w way) uploaded {
	t.Helper()
	etag, version, err := s.put(key, c, w)
	if err != nil {
		t.Fatalf("upload %d bytes to %q: %v", c.size(), key, err)
	}
	return uploaded{key: key, etag: aws.ToString(etag), version: aws.ToString(version), content: c}
}

func (s *server) put(key string, c content, w way) (etag, version *string, err error) {
	if w.partSize > 0 {
		return s.putParts(key, c, w)
	}
	in := &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(key),
		Body: bytes.NewReader(c), ChecksumAlgorithm: w.algorithm, ChecksumCRC64NVME: w.crc64nvme(c),
	}
	in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = w.sse()
	out, err := s.client.PutObject(context.Background(), in, w.options)
	if err != nil {
		return nil, nil, err
	}
	return out.ETag, out.VersionId, nil
}

// putParts makes a multipart upload. An empty object has one empty part.
func (s *server) putParts(key string, c content, w way) (etag, version *string, err error) {
	ctx := context.Background()
	create := &s3.CreateMultipartUploadInput{
		Bucket: aws.String(bucket), Key: aws.String(key), ChecksumAlgorithm: w.algorithm, ChecksumType: w.kind,
	}
	create.SSECustomerAlgorithm, create.SSECustomerKey, create.SSECustomerKeyMD5 = w.sse()
	begun, err := s.client.CreateMultipartUpload(ctx, create, w.options)
	if err != nil {
		return nil, nil, err
	}
	var parts []types.CompletedPart
	for off := int64(0); off < c.size() || len(parts) == 0; off += w.partSize {
		number, part := aws.Int32(int32(len(parts)+1)), c[off:min(off+w.partSize, c.size())]
		in := &s3.UploadPartInput{
			Bucket: aws.String(bucket), Key: aws.String(key), UploadId: begun.UploadId, PartNumber: number,
			Body: bytes.NewReader(part), ChecksumAlgorithm: w.algorithm, ChecksumCRC64NVME: w.crc64nvme(part),
		}
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = w.sse()
		out, err := s.client.UploadPart(ctx, in, w.options)
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, types.CompletedPart{
			PartNumber: number, ETag: out.ETag,
			ChecksumCRC64NVME: out.ChecksumCRC64NVME, ChecksumCRC32C: out.ChecksumCRC32C, ChecksumSHA256: out.ChecksumSHA256,
		})
	}
	complete := &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(bucket), Key: aws.String(key), UploadId: begun.UploadId, ChecksumType: w.kind,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}
	complete.SSECustomerAlgorithm, complete.SSECustomerKey, complete.SSECustomerKeyMD5 = w.sse()
	out, err := s.client.CompleteMultipartUpload(ctx, complete, w.options)
	if err != nil {
		return nil, nil, err
	}
	return out.ETag, out.VersionId, nil
}

func (w way) options(o *s3.Options) {
	if w.bare {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	}
}

// crc64nvme returns the value of the checksum, to be sent in a header. Over HTTPS the SDK would
// send it after one chunk with the whole body, and MinIO accepts chunks of at most 16 MiB.
func (w way) crc64nvme(c content) *string {
	if w.algorithm != types.ChecksumAlgorithmCrc64nvme {
		return nil
	}
	return aws.String(c.crc64nvme())
}

// sse returns the three fields of a request with the customer key.
func (w way) sse() (algorithm, key, keyMD5 *string) {
	if w.secret == nil {
		return nil, nil, nil
	}
	args := customerKey(w.secret)
	return &args.SSECustomerAlgorithm, &args.SSECustomerKey, &args.SSECustomerKeyMD5
}

// customerKey encodes a key for a request.
func customerKey(secret []byte) processpool.ExtraArgs {
	sum := md5.Sum(secret)
	return processpool.ExtraArgs{
		SSECustomerAlgorithm: "AES256",
		SSECustomerKey:       base64.StdEncoding.EncodeToString(secret),
		SSECustomerKeyMD5:    base64.StdEncoding.EncodeToString(sum[:]),
	}
}
