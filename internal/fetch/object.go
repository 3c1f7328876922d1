package fetch

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// checksums are the fields of an answer with the checksums that S3 keeps of an object or of a part.
type checksums struct {
	crc64nvme, crc32c, crc32, sha1, sha256 *string
}

// value is one of the checksums that is set.
type value struct {
	algorithm checksum.Algorithm
	text      string
}

// values returns the checksums that are set, in the order of what they cost to compute.
func (c checksums) values() []value {
	var list []value
	for _, v := range []struct {
		algorithm checksum.Algorithm
		text      *string
	}{
		{checksum.CRC64NVME, c.crc64nvme}, {checksum.CRC32C, c.crc32c}, {checksum.CRC32, c.crc32},
		{checksum.SHA1, c.sha1}, {checksum.SHA256, c.sha256},
	} {
		if v.text != nil {
			list = append(list, value{v.algorithm, *v.text})
		}
	}
	return list
}

// stored returns what S3 keeps of o, in the order of what it costs to compute. The ETag counts as
// an MD5 only if S3 promises that it is one, that is, not with KMS or customer keys
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html).
func (c checksums) stored(kind types.ChecksumType, o *ipc.Object) []checksum.Stored {
	var list []checksum.Stored
	for _, v := range c.values() {
		if stored, ok := checksum.Parse(v.algorithm, string(kind), v.text); ok {
			list = append(list, stored)
		}
	}
	if !o.Encrypted {
		if stored, ok := checksum.ParseETag(o.ETag); ok {
			list = append(list, stored)
		}
	}
	return list
}

// sum returns the first of a part's checksums.
func (c checksums) sum() proof.PartSum {
	if values := c.values(); len(values) > 0 {
		return proof.PartSum{Algorithm: values[0].algorithm, Value: values[0].text}
	}
	return proof.PartSum{}
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
		out.ChecksumCRC64NVME, out.ChecksumCRC32C, out.ChecksumCRC32, out.ChecksumSHA1, out.ChecksumSHA256,
	}.stored(out.ChecksumType, &o)
	return o
}

// objectOfGet does not set Size: the caller knows which range was asked for.
func objectOfGet(out *s3.GetObjectOutput) ipc.Object {
	o := ipc.Object{
		ETag:      aws.ToString(out.ETag),
		VersionID: aws.ToString(out.VersionId),
		Encrypted: encrypted(out.ServerSideEncryption, out.SSECustomerAlgorithm),
	}
	o.LastModified = aws.ToTime(out.LastModified)
	o.Stored = checksums{
		out.ChecksumCRC64NVME, out.ChecksumCRC32C, out.ChecksumCRC32, out.ChecksumSHA1, out.ChecksumSHA256,
	}.stored(out.ChecksumType, &o)
	return o
}
