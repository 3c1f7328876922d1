package fetch

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/ipc"
)

// checksums are the fields in which both answers, HeadObject's and GetObject's,
// name what S3 keeps.
type checksums struct {
	crc64nvme, crc32c, crc32, sha256, sha1 *string
	kind                                   types.ChecksumType
}

// stored lists what S3 keeps, the cheapest proof first. An MD5 in the ETag counts
// only where S3 promises that it is one: not with KMS or customer keys
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html).
func (c checksums) stored(etag string, encrypted bool) []checksum.Stored {
	var list []checksum.Stored
	for _, s := range []struct {
		algorithm checksum.Algorithm
		value     *string
	}{
		{checksum.CRC64NVME, c.crc64nvme}, {checksum.CRC32C, c.crc32c}, {checksum.CRC32, c.crc32},
		{checksum.SHA1, c.sha1}, {checksum.SHA256, c.sha256},
	} {
		if s.value == nil {
			continue
		}
		if stored, ok := checksum.Parse(s.algorithm, string(c.kind), *s.value); ok {
			list = append(list, stored)
		}
	}
	if !encrypted {
		if stored, ok := checksum.ParseETag(etag); ok {
			list = append(list, stored)
		}
	}
	return list
}

func encrypted(sse types.ServerSideEncryption, customerAlgorithm *string) bool {
	return sse == types.ServerSideEncryptionAwsKms || sse == types.ServerSideEncryptionAwsKmsDsse ||
		aws.ToString(customerAlgorithm) != ""
}

func objectOfHead(out *s3.HeadObjectOutput) ipc.Object {
	o := ipc.Object{
		Size:      aws.ToInt64(out.ContentLength),
		ETag:      aws.ToString(out.ETag),
		VersionID: aws.ToString(out.VersionId),
		Encrypted: encrypted(out.ServerSideEncryption, out.SSECustomerAlgorithm),
	}
	o.LastModified = aws.ToTime(out.LastModified)
	o.Stored = checksums{
		out.ChecksumCRC64NVME, out.ChecksumCRC32C, out.ChecksumCRC32, out.ChecksumSHA256, out.ChecksumSHA1, out.ChecksumType,
	}.stored(o.ETag, o.Encrypted)
	return o
}

// objectOfGet leaves Size to the caller, who knows which range was asked.
func objectOfGet(out *s3.GetObjectOutput) ipc.Object {
	o := ipc.Object{
		ETag:      aws.ToString(out.ETag),
		VersionID: aws.ToString(out.VersionId),
		Encrypted: encrypted(out.ServerSideEncryption, out.SSECustomerAlgorithm),
	}
	o.LastModified = aws.ToTime(out.LastModified)
	o.Stored = checksums{
		out.ChecksumCRC64NVME, out.ChecksumCRC32C, out.ChecksumCRC32, out.ChecksumSHA256, out.ChecksumSHA1, out.ChecksumType,
	}.stored(o.ETag, o.Encrypted)
	return o
}
