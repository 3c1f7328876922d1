package answer

import (
	"errors"
	"testing"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// The seeds are answers of Amazon S3, without what differs between all answers.
var (
	seedObject = "HTTP/1.1 200 OK\r\nx-amz-id-2: aWQ=\r\nx-amz-request-id: 4442587FB7D0A2F9\r\n" +
		"Last-Modified: Tue, 25 Aug 2026 20:36:41 GMT\r\nETag: " + etag + "\r\nx-amz-version-id: mine\r\n" +
		"x-amz-checksum-crc64nvme: AAAAAAAAAAA=\r\nx-amz-checksum-type: FULL_OBJECT\r\nAccept-Ranges: bytes\r\n" +
		"Content-Type: binary/octet-stream\r\nServer: AmazonS3\r\nContent-Length: 10\r\n\r\n0123456789"
	seedRange = "HTTP/1.1 206 Partial Content\r\nETag: " + etag + "\r\nx-amz-checksum-sha256: ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=-3\r\n" +
		"x-amz-checksum-type: COMPOSITE\r\nx-amz-server-side-encryption: AES256\r\nx-amz-mp-parts-count: 3\r\n" +
		"Content-Range: bytes 0-9/27\r\nContent-Length: 10\r\n\r\n0123456789"
	seedChunked = "HTTP/1.1 200 OK\r\nETag: W/\"e\"\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n"
	seedEmpty   = "HTTP/1.1 200 OK\r\nETag: \"d41d8cd98f00b204e9800998ecf8427e\"\r\nContent-Length: 0\r\n\r\n"
	seedRefusal = "HTTP/1.1 403 Forbidden\r\nx-amz-request-id: 4442587FB7D0A2F9\r\nContent-Type: application/xml\r\n\r\n" +
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
	seedNoRange = "HTTP/1.1 416 Requested Range Not Satisfiable\r\nContent-Range: bytes */0\r\n\r\n" +
		"<Error><Code>InvalidRange</Code><Message>The requested range is not satisfiable</Message></Error>"
	seedRedirect = "HTTP/1.1 307 Temporary Redirect\r\nx-amz-bucket-region: eu-west-1\r\nLocation: https://b.s3.eu-west-1.amazonaws.com/k\r\n\r\n"
	seedList     = "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n\r\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
		"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix></Prefix>" +
		"<NextContinuationToken>1ueGcxLPRx1Tr</NextContinuationToken><KeyCount>1</KeyCount><MaxKeys>1</MaxKeys>" +
		"<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><Contents><Key>a%2Bb</Key>" +
		"<LastModified>2026-08-25T20:36:41.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>11</Size>" +
		"<StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"
	seedAttributes = "HTTP/1.1 200 OK\r\nLast-Modified: Tue, 25 Aug 2026 20:36:41 GMT\r\n\r\n" +
		"<GetObjectAttributesResponse><ETag>0123456789abcdef0123456789abcdef-3</ETag><ObjectParts><PartsCount>3</PartsCount>" +
		"<PartNumberMarker>0</PartNumberMarker><NextPartNumberMarker>2</NextPartNumberMarker><MaxParts>2</MaxParts>" +
		"<IsTruncated>true</IsTruncated><Part><PartNumber>1</PartNumber><Size>5</Size><ChecksumSHA256>x</ChecksumSHA256></Part>" +
		"<Part><PartNumber>2</PartNumber><Size>5</Size></Part></ObjectParts></GetObjectAttributesResponse>"
	seedEmptyBody = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
)

func seed(f *testing.F) {
	for _, s := range []string{
		seedObject, seedRange, seedChunked, seedEmpty, seedRefusal, seedNoRange, seedRedirect, seedList, seedAttributes, seedEmptyBody,
	} {
		f.Add(s)
	}
}

// FuzzHead: whatever a server answers, the object has a size of 0 or more, or none.
func FuzzHead(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, answer string) {
		if o, err := head(answer, asked()); err == nil && o.Size < ipc.SizeUnknown {
			t.Fatalf("got %+v", o)
		} else if err != nil {
			wantKept(t, err)
		}
		if p, count, err := part(answer, asked()); err == nil && (p.Size < 0 || count < 2) {
			t.Fatalf("got %+v of %d parts", p, count)
		}
	})
}

// FuzzGet: a range lies in the object, and the body's length, if it is told, is the range's.
func FuzzGet(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, answer string) {
		o, err := get(answer, asked())
		if err != nil {
			wantKept(t, err)
			return
		}
		r := o.Range
		switch {
		case o.Length < ipc.SizeUnknown, o.Size < ipc.SizeUnknown, o.Size == 0 && o.Partial, !o.Partial && r != Range{}:
			t.Fatalf("got %+v", o)
		case !o.Partial:
			return
		case r.First < 0, r.Last < r.First, r.Total != o.Size, o.Size >= 0 && r.Last >= o.Size,
			o.Length >= 0 && o.Length != r.Last-r.First+1:
			t.Fatalf("got %+v", o)
		}
	})
}

// FuzzList: each entry has a key and a size, and a page that is not the last has a new token.
func FuzzList(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, answer string) {
		page, err := list(answer, asked())
		if err != nil {
			wantKept(t, err)
			return
		}
		if page.Next == "used" {
			t.Fatalf("got %+v", page)
		}
		for _, e := range page.Entries {
			if len(e.Key) == 0 || e.Size < 0 {
				t.Fatalf("got %+v", e)
			}
		}
	})
}

// FuzzAttributes: each part has a size, and a page that is not the last has parts and a new marker.
func FuzzAttributes(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, answer string) {
		p, err := attributes(answer, asked(), "1")
		if err != nil {
			wantKept(t, err)
			return
		}
		if p.Next != "" && (len(p.Parts) == 0 || p.Next == "1") {
			t.Fatalf("got %+v", p)
		}
		for _, one := range p.Parts {
			if one.Size < 0 {
				t.Fatalf("got %+v", p)
			}
		}
	})
}

// wantKept checks that an error crosses to the other process, and that a successful status is
// retried.
func wantKept(t *testing.T, err error) {
	t.Helper()
	if s := Status(err); s >= 200 && s < 300 && !failure.Retryable(err) && !errors.Is(err, errUnknown) {
		t.Fatalf("status %d is final: %v", s, err)
	}
	after := failure.Pack(err).Unpack()
	if after.Error() != err.Error() || errors.Is(after, failure.ErrUnexpected) != errors.Is(err, failure.ErrUnexpected) {
		t.Fatalf("got %v of %v", after, err)
	}
}
