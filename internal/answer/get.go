package answer

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/ipc"
)

// Object is the answer to a GetObject: the whole object, or a range of it.
type Object struct {
	ipc.Object        // Size is ipc.SizeUnknown if the answer does not tell it
	Partial    bool   // a 206: Range says which bytes of the object they are
	Range      Range  // of a 206
	Length     int64  // of the body, or ipc.SizeUnknown
	Request    string // S3's id of the request, "" if it gave none
	Body       io.Reader
}

// Get returns what the header of a GetObject's answer says.
func Get(out *s3.GetObjectOutput, job *ipc.Job) (Object, error) {
	if err := checkVersion("GetObject", job, out.VersionId); err != nil {
		return Object{}, err
	}
	length, err := lengthOf("GetObject", out.ContentLength)
	if err != nil {
		return Object{}, err
	}
	o := Object{
		Object: ipc.Object{
			Size:         length,
			ETag:         text(out.ETag),
			VersionID:    text(out.VersionId),
			LastModified: aws.ToTime(out.LastModified),
			Encrypted:    encrypted(out.ServerSideEncryption, out.SSECustomerAlgorithm),
		},
		Length: length,
		Body:   out.Body,
	}
	o.Request, _ = awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	switch status := statusOf(out.ResultMetadata); status {
	case http.StatusOK:
	case http.StatusPartialContent:
		if err := o.partial(text(out.ContentRange)); err != nil {
			return Object{}, err
		}
	default:
		return Object{}, untrusted("GetObject: status %d", status)
	}
	sums := checksums{
		out.ChecksumCRC64NVME, out.ChecksumCRC32C, out.ChecksumCRC32, out.ChecksumXXHASH3, out.ChecksumXXHASH128,
		out.ChecksumXXHASH64, out.ChecksumSHA1, out.ChecksumSHA256, out.ChecksumMD5, out.ChecksumSHA512,
	}
	if o.Partial && (o.Range.First > 0 || o.Range.Last != o.Size-1) {
		// A checksum that comes with a part of the object is the part's or the object's: nothing in
		// the answer tells which. The ETag is always the object's.
		sums = checksums{}
	}
	sums.describe(&o.Object, out.ChecksumType, job)
	if job.Get != nil && job.Get.Unconfirmed { // else a HeadObject has told
		o.Details = details(out.ContentType, out.ContentEncoding, string(out.StorageClass), out.Metadata, sums)
	}
	return o, CheckEmpty("GetObject", &o.Object)
}

// partial takes from a 206 which bytes it holds.
func (o *Object) partial(contentRange string) (err error) {
	if o.Range, err = parseContentRange(contentRange); err != nil {
		return err
	}
	o.Partial, o.Size = true, o.Range.Total
	if want := o.Range.Last - o.Range.First + 1; o.Length != ipc.SizeUnknown && o.Length != want {
		return untrusted("Content-Length is %d for a range of %d bytes", o.Length, want)
	}
	return nil
}
