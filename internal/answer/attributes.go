package answer

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// Parts is a page of the list of an object's parts.
type Parts struct {
	Parts []Part // empty if S3 keeps no list
	Next  string // marker of the next page; "" = this page is the last
}

// Attributes returns the parts that a GetObjectAttributes lists behind the part number marker, ""
// for the first page. The error is failure.ErrObjectChanged if they are of an object with another
// ETag. Where no answer has one, etag is "".
//
// S3 keeps a list of parts only if they were uploaded with checksums. If it keeps none, the answer
// tells their number at most
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html).
func Attributes(out *s3.GetObjectAttributesOutput, job *ipc.Job, etag, marker string) (Parts, error) {
	const operation = "GetObjectAttributes"
	if err := checkVersion(operation, job, out.VersionId); err != nil {
		return Parts{}, err
	}
	list := out.ObjectParts
	switch {
	case out.ETag == nil && etag != "":
		return Parts{}, untrusted("%s: no ETag", operation)
	case !SameETag(etag, text(out.ETag)):
		return Parts{}, failure.ErrObjectChanged
	case list == nil:
		return Parts{}, untrusted("%s: no ObjectParts", operation)
	case len(list.Parts) == 0 && list.TotalPartsCount != nil && marker == "":
		return Parts{}, nil
	case list.IsTruncated == nil:
		return Parts{}, untrusted("%s: no IsTruncated", operation)
	}
	last, _ := strconv.Atoi(marker)
	p := Parts{Parts: make([]Part, 0, len(list.Parts))}
	for i, one := range list.Parts {
		// The numbers of an upload may have gaps.
		if one.PartNumber == nil || int(*one.PartNumber) <= last {
			return Parts{}, untrusted("%s: part %d of the page has no number behind %d", operation, i+1, last)
		}
		last = int(*one.PartNumber)
		if one.Size == nil || *one.Size < 0 {
			return Parts{}, untrusted("%s: part %d has no size", operation, last)
		}
		p.Parts = append(p.Parts, Part{Size: *one.Size, Sum: checksums{
			one.ChecksumCRC64NVME, one.ChecksumCRC32C, one.ChecksumCRC32, one.ChecksumXXHASH3, one.ChecksumXXHASH128,
			one.ChecksumXXHASH64, one.ChecksumSHA1, one.ChecksumSHA256, one.ChecksumMD5, one.ChecksumSHA512,
		}.sum()})
	}
	switch n := list.TotalPartsCount; {
	case *list.IsTruncated:
		p.Next = strconv.Itoa(last)
		if len(list.Parts) == 0 || text(list.NextPartNumberMarker) != p.Next {
			return Parts{}, untrusted("%s: a truncated list without the number of its last part", operation)
		}
	case n != nil && marker == "" && int(*n) != len(list.Parts):
		return Parts{}, untrusted("%s: %d parts of %d", operation, len(list.Parts), *n)
	}
	return p, nil
}
