package answer

import (
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// Head returns what a HeadObject says about the object. Its Size is ipc.SizeUnknown if the answer
// has no Content-Length: an answer to HEAD may omit it (RFC 9110, 9.3.2), and some servers do.
//
// An object without an ETag is allowed. Its requests have no If-Match, so that only its size shows
// if it is overwritten meanwhile.
func Head(out *s3.HeadObjectOutput, job *ipc.Job) (ipc.Object, error) {
	if status := statusOf(out.ResultMetadata); status != http.StatusOK {
		return ipc.Object{}, untrusted("HeadObject: status %d", status)
	}
	if err := checkVersion("HeadObject", job, out.VersionId); err != nil {
		return ipc.Object{}, err
	}
	size, err := lengthOf("HeadObject", out.ContentLength)
	if err != nil {
		return ipc.Object{}, err
	}
	o := ipc.Object{
		Size:         size,
		ETag:         text(out.ETag),
		VersionID:    text(out.VersionId),
		LastModified: aws.ToTime(out.LastModified),
		Encrypted:    encrypted(out.ServerSideEncryption, out.SSECustomerAlgorithm),
	}
	sums := checksumsOfHead(out)
	sums.describe(&o, out.ChecksumType, job)
	o.Details = details(out.ContentType, out.ContentEncoding, string(out.StorageClass), out.Metadata, sums)
	return o, CheckEmpty("HeadObject", &o)
}

func checksumsOfHead(out *s3.HeadObjectOutput) checksums {
	return checksums{
		out.ChecksumCRC64NVME, out.ChecksumCRC32C, out.ChecksumCRC32, out.ChecksumXXHASH3, out.ChecksumXXHASH128,
		out.ChecksumXXHASH64, out.ChecksumSHA1, out.ChecksumSHA256, out.ChecksumMD5, out.ChecksumSHA512,
	}
}

// Part is one part of an object.
type Part struct {
	Size int64
	Sum  proof.PartSum // zero if S3 keeps none
}

// PartOfHead returns what a HeadObject with a part number says about that part, and the number of
// parts. A server that does not know part numbers answers with the whole object, or does not count
// the parts: that error is not retried.
func PartOfHead(out *s3.HeadObjectOutput, job *ipc.Job, number int, etag string) (p Part, count int, err error) {
	const operation = "HeadObject with a part number"
	if err := checkVersion(operation, job, out.VersionId); err != nil {
		return Part{}, 0, err
	}
	if !SameETag(etag, text(out.ETag)) {
		return Part{}, 0, untrusted("%s: the ETag was %s and is %s", operation, etag, text(out.ETag))
	}
	switch status := statusOf(out.ResultMetadata); {
	case status == http.StatusOK, status == http.StatusPartialContent && out.PartsCount == nil:
		return Part{}, 0, fmt.Errorf("%s: %w", operation, errUnknown)
	case status != http.StatusPartialContent:
		return Part{}, 0, untrusted("%s: status %d", operation, status)
	case int(*out.PartsCount) < number:
		return Part{}, 0, untrusted("%s: part %d of %d", operation, number, *out.PartsCount)
	case *out.PartsCount > proof.MaxParts:
		return Part{}, 0, fmt.Errorf("%s: %d parts are more than an object can have", operation, *out.PartsCount)
	}
	size, err := lengthOf(operation, out.ContentLength)
	if err != nil {
		return Part{}, 0, err
	}
	if size == ipc.SizeUnknown {
		r, err := parseContentRange(text(out.ContentRange))
		if err != nil {
			return Part{}, 0, err
		}
		size = r.Last - r.First + 1
	}
	return Part{Size: size, Sum: checksumsOfHead(out).sum()}, int(*out.PartsCount), nil
}
