package answer

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// checksums are the fields of an answer with the checksums that S3 keeps of an object or of a part,
// in the order of checksum.Algorithms.
type checksums [10]*string

// value is one of the checksums that is set.
type value struct {
	algorithm checksum.Algorithm
	text      string
}

// values returns the checksums that are set, in the order of what they cost to compute.
func (c checksums) values() []value {
	var list []value
	for i, algorithm := range checksum.Algorithms {
		if c[i] != nil {
			list = append(list, value{algorithm, *c[i]})
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

// describe sets o.Stored to what S3 keeps of o, in the order of what it costs to compute, and
// o.Barred.
//
// S3 has named the type of a checksum since December 2024; other servers name none. Without a type,
// "value-N" is a digest of digests of parts. A plain value may be one, too, because some answers
// omit "-N". It counts as the whole object's only if the ETag shows that the object has no parts
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
func (c checksums) describe(o *ipc.Object, kind types.ChecksumType, job *ipc.Job) {
	etag, isMD5 := checksum.ParseETag(o.ETag)
	isMD5 = isMD5 && !directoryBucket(job.Bucket)
	add := func(s checksum.Stored) {
		if s.Algorithm.Barred() {
			o.Barred = true
			return
		}
		o.Stored = append(o.Stored, s)
	}
	for _, v := range c.values() {
		stored, ok := checksum.Parse(v.algorithm, string(kind), v.text)
		if ok && kind == "" && stored.Kind == checksum.FullObject && !(isMD5 && etag.Parts == 0) {
			continue
		}
		if ok {
			add(stored)
		}
	}
	if isMD5 && !o.Encrypted && !job.NoETag {
		add(etag)
	}
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
