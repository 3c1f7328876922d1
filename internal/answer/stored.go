package answer

import (
	"strings"

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

// details returns what an answer says of the object for the caller; nothing if it is more than a Future
// may keep.
func details(contentType, encoding *string, class string, metadata map[string]string, sums checksums) *ipc.Details {
	d := &ipc.Details{
		ContentType: text(contentType), ContentEncoding: text(encoding), StorageClass: class,
		Metadata: metadata, Checksums: sums.list(),
	}
	if d.Size() > ipc.MaxDetails {
		return nil
	}
	return d
}

// list returns the checksums that are set, as S3 writes them.
func (c checksums) list() []ipc.Sum {
	var list []ipc.Sum
	for _, v := range c.values() {
		list = append(list, ipc.Sum{Algorithm: string(v.algorithm), Value: v.text})
	}
	return list
}

// stored returns what S3 keeps of o, in the order of what it costs to compute.
//
// S3 has named the type of a checksum since December 2024; other servers name none. Without a type,
// "value-N" is a digest of digests of parts. A plain value may be one, too, because some answers
// omit "-N". It counts as the whole object's only if the ETag shows that the object has no parts
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
func (c checksums) stored(kind types.ChecksumType, o *ipc.Object, job *ipc.Job) []checksum.Stored {
	etag, isMD5 := checksum.ParseETag(o.ETag)
	isMD5 = isMD5 && !directoryBucket(job.Bucket)
	var list []checksum.Stored
	for _, v := range c.values() {
		stored, ok := checksum.Parse(v.algorithm, string(kind), v.text)
		if ok && kind == "" && stored.Kind == checksum.FullObject && !(isMD5 && etag.Parts == 0) {
			continue
		}
		if ok {
			list = append(list, stored)
		}
	}
	if isMD5 && !o.Encrypted && !job.NoETag {
		list = append(list, etag)
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

// encrypted reports whether the object is encrypted with KMS or with a customer key. Then its ETag
// is not an MD5 (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html).
func encrypted(sse types.ServerSideEncryption, customerAlgorithm *string) bool {
	return sse == types.ServerSideEncryptionAwsKms || sse == types.ServerSideEncryptionAwsKmsDsse ||
		text(customerAlgorithm) != ""
}

// directoryBucket reports whether a bucket name is that of a directory bucket, or of an access
// point of one. An ETag there may look like an MD5, and never is one
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-differences.html, and
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html).
func directoryBucket(name string) bool {
	return strings.HasSuffix(name, "--x-s3") || strings.HasSuffix(name, "--xa-s3") ||
		strings.HasPrefix(name, "arn:") && strings.Contains(name, ":s3express:")
}
