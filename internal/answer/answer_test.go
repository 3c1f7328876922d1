package answer

import (
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// TestListBody: a document without what a listing has is not an empty listing.
func TestListBody(t *testing.T) {
	const last = "<IsTruncated>false</IsTruncated>"
	for _, c := range []struct{ name, body, want string }{
		{"empty", "", "empty body"},
		{"spaces", " \r\n", "empty body"},
		{"a declaration only", `<?xml version="1.0"?>`, "not XML"},
		{"HTML", "<html><head><title>Welcome</title></head></html>", `"html"`},
		{"text", "It works!", "not XML"},
		{"JSON", `{"a": "<b"}`, "not XML"},
		{"another document", "<ListAllMyBucketsResult>" + last + "</ListAllMyBucketsResult>", "ListAllMyBucketsResult"},
		{"nothing in it", "<ListBucketResult/>", "IsTruncated"},
		{"cut off", "<ListBucketResult>" + last, "EOF"},
		{"an object without a size", "<ListBucketResult>" + last + "<Contents><Key>k</Key></Contents></ListBucketResult>", "without a size"},
		{"an object without a key", "<ListBucketResult>" + last + "<Contents><Size>1</Size></Contents></ListBucketResult>", "without a key"},
		{"a size that is no number", "<ListBucketResult>" + last + "<Contents><Key>k</Key><Size>x</Size></Contents></ListBucketResult>", `parsing "x"`},
		{"another KeyCount", "<ListBucketResult>" + last + "<KeyCount>1</KeyCount></ListBucketResult>", "KeyCount is 1"},
		{"too much before the root", "<!--" + strings.Repeat("x", maxProlog) + "--><ListBucketResult>" + last + "</ListBucketResult>", "not XML"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := list(ok(c.body), asked())
			wantUntrusted(t, err, c.want)
		})
	}
	page, err := list(ok(`<?xml version="1.0"?><ListBucketResult xmlns="x">`+last+`</ListBucketResult>`), asked())
	if err != nil || page.Next != "" || len(page.Entries) != 0 {
		t.Errorf("got %+v, %v, want an empty page", page, err)
	}
	_, err = list(ok("<Error><Code>InternalError</Code><Message>later</Message></Error>"), asked())
	if !failure.Retryable(err) || !HasCode(err) {
		t.Errorf("an <Error>: got %v, want it and a retry", err)
	}
	_, err = list(ok("<ListBucketResult>", "Content-Length: 100"), asked())
	if !failure.Retryable(err) || failure.KindOf(err) != failure.KindConnection {
		t.Errorf("a body that broke off: got %v of the kind %s", err, failure.KindOf(err))
	}
}

func TestHead(t *testing.T) {
	etagOf := func(tag string) string { return "ETag: " + tag }
	for _, c := range []struct {
		name   string
		answer string
		want   string
	}{
		{"another version", ok("", "Content-Length: 5", "x-amz-version-id: other"), "version"},
		{"an empty object of two parts", ok("", "Content-Length: 0", etagOf(`"0123456789abcdef0123456789abcdef-2"`)), "several parts"},
		{"an empty object of ten parts", ok("", "Content-Length: 0", etagOf(`"e-10"`)), "several parts"},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", "status 204"},
		{"a header that is no number", ok("", "Content-Length: 5", "x-amz-mp-parts-count: x"), `parsing "x"`},
	} {
		job := asked()
		job.Args.VersionID = "mine"
		_, err := head(c.answer, job)
		if !errors.Is(err, failure.ErrUnexpected) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrUnexpected with %q", c.name, err, c.want)
		}
	}
	for _, c := range []struct {
		name   string
		answer string
		size   int64
	}{
		{"no Content-Length", ok(""), ipc.SizeUnknown},
		{"chunked", ok("", "Transfer-Encoding: chunked"), ipc.SizeUnknown},
		{"empty", ok("", "Content-Length: 0", etagOf(`"d41d8cd98f00b204e9800998ecf8427e"`)), 0},
		{"empty, of one part", ok("", "Content-Length: 0", etagOf(`"59adb24ef3cdbe0297f05b395827453f-1"`)), 0},
		{"the version asked for", ok("", "Content-Length: 5", "x-amz-version-id: mine"), 5},
	} {
		job := asked()
		job.Args.VersionID = "mine"
		if o, err := head(c.answer, job); err != nil || o.Size != c.size {
			t.Errorf("%s: got %+v, %v, want size %d", c.name, o, err, c.size)
		}
	}
}

// TestGetError: a 200 with an error document of S3 is that error, and not an object.
func TestGetError(t *testing.T) {
	const document = "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>later</Message></Error>"
	_, err := get(ok(document, "Content-Type: application/xml"), asked())
	if !failure.Retryable(err) || !HasCode(err) {
		t.Errorf("got %v, want S3's error and a retry", err)
	}
	for _, header := range []string{`ETag: "e"`, "Last-Modified: Wed, 25 Nov 2026 18:00:00 GMT"} {
		if o, err := get(ok(document, header), asked()); err != nil || o.Partial {
			t.Errorf("an object with %s: got %+v, %v", header, o, err)
		}
	}
}

func TestRedirect(t *testing.T) {
	answer := "HTTP/1.1 301 Moved Permanently\r\nLocation: https://other.example/b\u202egpj\r\n\r\n"
	const want = `the server redirects to https://other.example/b\u202egpj: `
	_, err := get(answer, asked())
	errs := []error{err}
	_, err = head(answer, asked())
	errs = append(errs, err)
	_, err = list(answer, asked())
	errs = append(errs, err)
	_, err = attributes(answer, asked(), "")
	for _, err := range append(errs, err) {
		if err == nil || !strings.HasPrefix(err.Error(), want) || Status(err) != 301 {
			t.Errorf("got %v, want %q at its beginning", err, want)
		}
	}
}

// TestStored: which of the checksums of an answer are the object's.
func TestStored(t *testing.T) {
	const crc = "x-amz-checksum-crc32: AAAAAA=="
	full := checksum.Stored{Algorithm: checksum.CRC32, Kind: checksum.FullObject, Value: "AAAAAA=="}
	composite := checksum.Stored{Algorithm: checksum.CRC32, Kind: checksum.Composite, Value: "AAAAAA=="}
	digest := "0123456789abcdef0123456789abcdef"
	plain := checksum.Stored{Algorithm: checksum.MD5, Kind: checksum.ETag, Value: digest}
	parts := plain
	parts.Parts = 3
	three := composite
	three.Parts = 3
	for _, c := range []struct {
		name   string
		bucket string
		header []string
		want   []checksum.Stored
	}{
		{"full object", "b", []string{crc, "x-amz-checksum-type: FULL_OBJECT", "ETag: " + etag}, []checksum.Stored{full, parts}},
		{"composite", "b", []string{crc + "-3", "x-amz-checksum-type: COMPOSITE", "ETag: " + etag}, []checksum.Stored{three, parts}},
		{"composite without -N", "b", []string{crc, "x-amz-checksum-type: COMPOSITE", "ETag: " + etag}, []checksum.Stored{composite, parts}},
		{"no type, -N", "b", []string{crc + "-3", "ETag: " + etag}, []checksum.Stored{three, parts}},
		{"no type, the ETag of an object without parts", "b", []string{crc, `ETag: "` + digest + `"`}, []checksum.Stored{full, plain}},
		{"no type, the ETag of parts", "b", []string{crc, "ETag: " + etag}, []checksum.Stored{parts}},
		{"no type, the ETag of one part", "b", []string{crc, `ETag: "` + digest + `-1"`}, []checksum.Stored{{Algorithm: checksum.MD5, Kind: checksum.ETag, Value: digest, Parts: 1}}},
		{"no type, another ETag", "b", []string{crc, `ETag: "x"`}, nil},
		{"no type, no ETag", "b", []string{crc}, nil},
		{"no type, encrypted", "b", []string{crc, `ETag: "` + digest + `"`, "x-amz-server-side-encryption: aws:kms"}, []checksum.Stored{full}},
		{"directory bucket", "b--usw2-az1--x-s3", []string{`ETag: "` + digest + `"`}, nil},
		{"directory bucket with a checksum", "b--usw2-az1--x-s3", []string{crc, "x-amz-checksum-type: FULL_OBJECT", `ETag: "` + digest + `"`}, []checksum.Stored{full}},
		{"directory bucket with a checksum without a type", "b--usw2-az1--x-s3", []string{crc, `ETag: "` + digest + `"`}, nil},
		{"its access point", "a--usw2-az1--xa-s3", []string{`ETag: "` + digest + `"`}, nil},
	} {
		job := asked()
		job.Bucket = c.bucket
		header := append([]string{"Content-Length: 10"}, c.header...)
		o, err := head(ok("", header...), job)
		if err != nil || !reflect.DeepEqual(o.Stored, c.want) {
			t.Errorf("HeadObject, %s: got %+v, %v, want %+v", c.name, o.Stored, err, c.want)
		}
		covering := "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/10\r\n" + strings.Join(header, "\r\n") + "\r\n\r\n0123456789"
		got, err := get(covering, job)
		if err != nil || !reflect.DeepEqual(got.Stored, c.want) {
			t.Errorf("GetObject, %s: got %+v, %v, want %+v", c.name, got.Stored, err, c.want)
		}
	}
}

// TestEachChecksum: every answer's field of a checksum has its name.
func TestEachChecksum(t *testing.T) {
	for _, a := range checksum.Algorithms {
		value := base64.StdEncoding.EncodeToString(make([]byte, a.Size()))
		header := []string{"x-amz-checksum-" + strings.ToLower(string(a)) + ": " + value, "x-amz-checksum-type: FULL_OBJECT", "Content-Length: 10"}
		want := []checksum.Stored{{Algorithm: a, Kind: checksum.FullObject, Value: value}}
		sums := []ipc.Sum{{Algorithm: string(a), Value: value}}
		o, err := head(ok("", header...), asked())
		if err != nil || !reflect.DeepEqual(o.Stored, want) || !reflect.DeepEqual(o.Details.Checksums, sums) {
			t.Errorf("HeadObject: got %+v, %+v, %v, want %v", o.Stored, o.Details, err, want)
		}
		job := asked()
		job.Get = &ipc.Get{Unconfirmed: true}
		got, err := get(ok("0123456789", header...), job)
		if err != nil || !reflect.DeepEqual(got.Stored, want) || !reflect.DeepEqual(got.Details.Checksums, sums) {
			t.Errorf("GetObject: got %+v, %+v, %v, want %v", got.Stored, got.Details, err, want)
		}
		p, err := attributes(ok("<GetObjectAttributesResponse><ETag>"+strings.Trim(etag, `"`)+"</ETag><ObjectParts><IsTruncated>false</IsTruncated>"+
			"<Part><PartNumber>1</PartNumber><Size>5</Size><Checksum"+string(a)+">"+value+"</Checksum"+string(a)+"></Part></ObjectParts></GetObjectAttributesResponse>"), asked(), "")
		if want := (proof.PartSum{Algorithm: a, Value: value}); err != nil || len(p.Parts) != 1 || p.Parts[0].Sum != want {
			t.Errorf("GetObjectAttributes: got %+v, %v, want %v", p, err, want)
		}
	}
}

func TestAttributes(t *testing.T) {
	const tag = "<ETag>0123456789abcdef0123456789abcdef-3</ETag>"
	doc := func(s string) string {
		return ok("<GetObjectAttributesResponse>" + s + "</GetObjectAttributesResponse>")
	}
	parts := func(s string) string { return doc(tag + "<ObjectParts>" + s + "</ObjectParts>") }
	const two = "<Part><PartNumber>1</PartNumber><Size>5</Size></Part><Part><PartNumber>2</PartNumber><Size>3</Size></Part>"
	for _, c := range []struct{ name, answer, want string }{
		{"empty", ok(""), "empty body"},
		{"no ETag", doc("<ObjectParts><IsTruncated>false</IsTruncated>" + two + "</ObjectParts>"), "no ETag"},
		{"no parts", doc(tag), "no ObjectParts"},
		{"no IsTruncated", parts(two), "no IsTruncated"},
		{"a part without a size", parts("<IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber></Part>"), "no size"},
		{"a negative size", parts("<IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber><Size>-5</Size></Part>"), "no size"},
		{"a part without a number", parts("<IsTruncated>false</IsTruncated><Part><Size>5</Size></Part>"), "no number"},
		{"a part twice", parts("<IsTruncated>false</IsTruncated>" + two + two), "no number"},
		{"too few", parts("<PartsCount>3</PartsCount><IsTruncated>false</IsTruncated>" + two), "2 parts of 3"},
		{"truncated without a marker", parts("<IsTruncated>true</IsTruncated>" + two), "number of its last part"},
		{"truncated with an old marker", parts("<IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>" + two), "number of its last part"},
		{"truncated and empty", parts("<IsTruncated>true</IsTruncated><NextPartNumberMarker>0</NextPartNumberMarker>"), "number of its last part"},
	} {
		_, err := attributes(c.answer, asked(), "")
		wantUntrusted(t, err, c.want)
	}
	other := strings.ReplaceAll(parts("<IsTruncated>false</IsTruncated>"+two), "GetObjectAttributesResponse", "getObjectAttributesOutput")
	if p, err := attributes(other, asked(), ""); err != nil || len(p.Parts) != 2 {
		t.Errorf("another name of the root: got %+v, %v", p, err)
	}
	p, err := attributes(parts("<PartsCount>3</PartsCount><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>"+two), asked(), "")
	if err != nil || p.Next != "2" || len(p.Parts) != 2 || p.Parts[1].Size != 3 {
		t.Errorf("got %+v, %v", p, err)
	}
	if p, err := attributes(parts("<PartsCount>3</PartsCount>"), asked(), ""); err != nil || len(p.Parts) != 0 {
		t.Errorf("no list is kept: got %+v, %v", p, err)
	}
	plain := &ipc.Job{Bucket: "b", Key: "plain"}
	untagged := doc("<ObjectParts><PartsCount>2</PartsCount><IsTruncated>false</IsTruncated>" + two + "</ObjectParts>")
	if p, err := attributes(untagged, plain, ""); err != nil || len(p.Parts) != 2 {
		t.Errorf("no answer has an ETag: got %+v, %v", p, err)
	}
	if _, err := attributes(parts("<PartsCount>3</PartsCount>"), plain, ""); !errors.Is(err, failure.ErrObjectChanged) {
		t.Errorf("only the attributes have an ETag: got %v, want ErrObjectChanged", err)
	}
	for _, object := range []string{"the object's own text <", "<html></html>", strings.Repeat("x", 2*maxProlog)} {
		if _, err := attributes(ok(object), asked(), ""); !errors.Is(err, errUnknown) || failure.Retryable(err) {
			t.Errorf("the object itself: got %v, want %v and no retry", err, errUnknown)
		}
	}
	if _, err := attributes(doc("<ETag>other</ETag>"), asked(), ""); !errors.Is(err, failure.ErrObjectChanged) {
		t.Errorf("another ETag: got %v, want ErrObjectChanged", err)
	}
}

func TestPart(t *testing.T) {
	partial := func(header ...string) string {
		return "HTTP/1.1 206 Partial Content\r\n" + strings.Join(append(header, "ETag: "+etag), "\r\n") + "\r\n\r\n"
	}
	const count, length = "x-amz-mp-parts-count: 3", "Content-Length: 10"
	for _, c := range []struct{ name, answer, want string }{
		{"fewer parts", partial(length, "x-amz-mp-parts-count: 1"), "part 2 of 1"},
		{"no size", partial(count), "Content-Range"},
		{"another ETag", strings.ReplaceAll(partial(length, count), etag, "other"), "ETag"},
		{"no ETag", strings.ReplaceAll(partial(length, count), "ETag: "+etag, "X: y"), "ETag"},
		{"204", "HTTP/1.1 204 No Content\r\nETag: " + etag + "\r\n\r\n", "status 204"},
	} {
		_, _, err := part(c.answer, asked())
		wantUntrusted(t, err, c.want)
	}
	for _, answer := range []string{partial(length, count), partial("Content-Range: bytes 10-19/27", count)} {
		if p, n, err := part(answer, asked()); err != nil || p.Size != 10 || n != 3 {
			t.Errorf("got %+v of %d, %v", p, n, err)
		}
	}
	for name, answer := range map[string]string{
		"the whole object":   ok("", length, "ETag: "+etag),
		"no number of parts": partial(length),
	} {
		_, _, err := part(answer, asked())
		if !errors.Is(err, errUnknown) || failure.Retryable(err) {
			t.Errorf("%s: got %v, want %v and no retry", name, err, errUnknown)
		}
	}
}
