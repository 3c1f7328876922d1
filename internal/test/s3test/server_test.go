package s3test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

func start(t *testing.T, optFns ...func(*Options)) *Server {
	t.Helper()
	s := Start(optFns...)
	t.Cleanup(s.Close)
	return s
}

func once(o *s3.Options) { o.RetryMaxAttempts = 1 }

// get reads an object with the client of the SDK, in one attempt.
func get(s *Server, optFns ...func(*s3.GetObjectInput)) (*s3.GetObjectOutput, []byte, error) {
	in := &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")}
	for _, fn := range optFns {
		fn(in)
	}
	out, err := s.Client(once).GetObject(context.Background(), in)
	if err != nil {
		return out, nil, err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	return out, body, err
}

// send makes a request without the SDK, so that tests see the headers as they are sent.
func send(t *testing.T, s *Server, method, path string, header ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, s.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// wantError checks the code and status of an error of the SDK.
func wantError(t *testing.T, err error, status int, code string) {
	t.Helper()
	var api smithy.APIError
	var resp *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &resp) {
		t.Fatalf("got error %v, want %d %s", err, status, code)
	}
	if api.ErrorCode() != code || resp.HTTPStatusCode() != status {
		t.Errorf("got %d %s, want %d %s", resp.HTTPStatusCode(), api.ErrorCode(), status, code)
	}
	if resp.ServiceRequestID() == "" {
		t.Errorf("%s: no request id", code)
	}
}

func TestGetObject(t *testing.T) {
	for _, tls := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", tls), func(t *testing.T) {
			s := start(t, func(o *Options) { o.TLS = tls })
			for _, size := range []int64{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3<<20 + 7} {
				data := PatternBytes(1, size)
				s.Put("b", "k", data)
				out, body, err := get(s)
				if err != nil || !bytes.Equal(body, data) {
					t.Fatalf("size=%d: got %d bytes, error %v", size, len(body), err)
				}
				if got, want := aws.ToString(out.ETag), fmt.Sprintf(`"%x"`, md5.Sum(data)); got != want {
					t.Errorf("size=%d: got ETag %s, want %s", size, got, want)
				}
				if aws.ToString(out.ChecksumCRC64NVME) == "" || out.ChecksumType != types.ChecksumTypeFullObject {
					t.Errorf("size=%d: no full object CRC64NVME", size)
				}
			}
		})
	}
}

func TestKeys(t *testing.T) {
	keys := []string{
		"a b", "a+b", "a%2Fb", "a/../b", "../b", "./x", "a//b", "/a", "a/", "ünï/çödé", "日本",
		"a?b=c&d", "a#b", `a"b\c`, "a;b=c", "~!$'()*,:@", "%", "a\tb", strings.Repeat("x", 1024),
	}
	for _, signed := range []bool{false, true} {
		s := start(t, func(o *Options) {
			if signed {
				o.AccessKey, o.SecretKey = "AK", "SK"
			}
		})
		for _, key := range keys {
			s.Put("b", key, []byte(key))
		}
		for _, key := range keys {
			_, body, err := get(s, func(in *s3.GetObjectInput) { in.Key = &key })
			if err != nil || string(body) != key {
				t.Errorf("signed=%v key=%q: got %q, error %v", signed, key, body, err)
			}
		}
		for i, r := range s.Requests() {
			if r.Key != keys[i] || r.Bucket != "b" || r.Method != "GET" || r.Seq != i+1 {
				t.Errorf("request %d: got %d %s %q %q", i, r.Seq, r.Method, r.Bucket, r.Key)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	s := start(t)
	o := s.Put("b", "k", []byte("0123456789"))
	set := func(fn func(*s3.GetObjectInput)) func(*s3.GetObjectInput) { return fn }
	for _, c := range []struct {
		name   string
		fn     func(*s3.GetObjectInput)
		status int
		code   string
	}{
		{"no bucket", set(func(in *s3.GetObjectInput) { in.Bucket = aws.String("no") }), 404, "NoSuchBucket"},
		{"no key", set(func(in *s3.GetObjectInput) { in.Key = aws.String("no") }), 404, "NoSuchKey"},
		{"owner", set(func(in *s3.GetObjectInput) { in.ExpectedBucketOwner = aws.String("999900001111") }), 403, "AccessDenied"},
		{"if-match", set(func(in *s3.GetObjectInput) { in.IfMatch = aws.String(`"x"`) }), 412, "PreconditionFailed"},
		{"if-match bare", set(func(in *s3.GetObjectInput) { in.IfMatch = aws.String(strings.Trim(o.ETag, `"`)) }), 412, "PreconditionFailed"},
		{"range", set(func(in *s3.GetObjectInput) { in.Range = aws.String("bytes=10-") }), 416, "InvalidRange"},
		{"part", set(func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(2) }), 416, "InvalidPartNumber"},
		{"part 0", set(func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(0) }), 400, "InvalidArgument"},
		{"part and range", set(func(in *s3.GetObjectInput) { in.PartNumber, in.Range = aws.Int32(1), aws.String("bytes=0-1") }), 400, "InvalidRequest"},
		{"version", set(func(in *s3.GetObjectInput) { in.VersionId = aws.String("nonsense") }), 400, "InvalidArgument"},
		{"no version", set(func(in *s3.GetObjectInput) { in.VersionId = aws.String(strings.Repeat("v", 32)) }), 404, "NoSuchVersion"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := get(s, c.fn)
			wantError(t, err, c.status, c.code)
		})
	}

	for _, match := range []string{o.ETag, `"x", ` + o.ETag, "*"} {
		if _, _, err := get(s, func(in *s3.GetObjectInput) { in.IfMatch = &match }); err != nil {
			t.Errorf("If-Match %s: %v", match, err)
		}
	}
	if _, _, err := get(s, func(in *s3.GetObjectInput) { in.ExpectedBucketOwner = aws.String(DefaultOwner) }); err != nil {
		t.Errorf("right owner: %v", err)
	}
	_, err := s.Client(once).HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: aws.String("b"), Key: aws.String("no")})
	wantError(t, err, 404, "NotFound")
	if resp, _ := send(t, s, "PUT", "/b/k"); resp.StatusCode != 501 {
		t.Errorf("PUT: got status %d, want 501", resp.StatusCode)
	}
}

func TestVersions(t *testing.T) {
	s := start(t)
	version := func(v string) func(*s3.GetObjectInput) { return func(in *s3.GetObjectInput) { in.VersionId = &v } }

	s.Put("b", "k", []byte("null"))
	out, _, err := get(s)
	if err != nil || out.VersionId != nil {
		t.Fatalf("got version %v, error %v, want none", aws.ToString(out.VersionId), err)
	}
	s.SetVersioning("b", true)
	one, two := s.Put("b", "k", []byte("one")), s.Put("b", "k", []byte("two"))
	for want, v := range map[string]string{"null": "null", "one": one.VersionID, "two": two.VersionID} {
		out, body, err := get(s, version(v))
		if err != nil || string(body) != want || aws.ToString(out.VersionId) != v {
			t.Errorf("version %s: got %q, error %v, want %q", v, body, err, want)
		}
	}
	if _, body, err := get(s); err != nil || string(body) != "two" {
		t.Errorf("newest: got %q, error %v, want two", body, err)
	}

	s.Delete("b", "k")
	_, _, err = get(s)
	wantError(t, err, 404, "NoSuchKey")
	if resp, _ := send(t, s, "HEAD", "/b/k"); resp.Header.Get("X-Amz-Delete-Marker") != "true" {
		t.Error("no x-amz-delete-marker")
	}
	if _, body, err := get(s, version(one.VersionID)); err != nil || string(body) != "one" {
		t.Errorf("old version after Delete: got %q, error %v", body, err)
	}

	s.Put("plain", "k", nil)
	s.Delete("plain", "k")
	if resp, _ := send(t, s, "GET", "/plain/k"); resp.StatusCode != 404 {
		t.Errorf("deleted: got status %d, want 404", resp.StatusCode)
	}
}

func TestCustomerKey(t *testing.T) {
	s := start(t, func(o *Options) { o.TLS = true })
	key := bytes.Repeat([]byte("k"), 32)
	keyed := func(key []byte) func(*s3.GetObjectInput) {
		sum := md5.Sum(key)
		return func(in *s3.GetObjectInput) {
			in.SSECustomerAlgorithm = aws.String("AES256")
			in.SSECustomerKey = aws.String(base64.StdEncoding.EncodeToString(key))
			in.SSECustomerKeyMD5 = aws.String(base64.StdEncoding.EncodeToString(sum[:]))
		}
	}
	o := s.Put("b", "k", []byte("secret"), WithSSEC(base64.StdEncoding.EncodeToString(key)))
	if o.ETag == "" || o.ETag == fmt.Sprintf(`"%x"`, md5.Sum([]byte("secret"))) {
		t.Errorf("got ETag %q, want one that is no MD5", o.ETag)
	}
	out, body, err := get(s, keyed(key))
	if err != nil || string(body) != "secret" || aws.ToString(out.SSECustomerAlgorithm) != "AES256" || out.SSECustomerKeyMD5 == nil {
		t.Fatalf("got %q, error %v", body, err)
	}
	_, _, err = get(s)
	wantError(t, err, 400, "InvalidRequest")
	_, _, err = get(s, keyed(bytes.Repeat([]byte("x"), 32)))
	wantError(t, err, 403, "AccessDenied")
	s.Put("b", "k", []byte("open"))
	_, _, err = get(s, keyed(key))
	wantError(t, err, 400, "InvalidRequest")
}

func TestHeaders(t *testing.T) {
	s := start(t)
	s.Put("b", "k", []byte("x"), WithoutETag(), func(o *Object) {
		o.LastModified = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
		o.ContentType = "text/plain"
		o.Header = map[string]string{"Content-Encoding": "gzip"}
	})
	for _, method := range []string{"GET", "HEAD"} {
		resp, _ := send(t, s, method, "/b/k", "Accept-Encoding", "identity")
		for name, want := range map[string]string{
			"Last-Modified": "Thu, 02 Jan 2020 03:04:05 GMT", "Content-Type": "text/plain", "Content-Encoding": "gzip",
			"Accept-Ranges": "bytes", "Content-Length": "1", "ETag": "", "X-Amz-Checksum-Crc64nvme": "",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: got %s %q, want %q", method, name, got, want)
			}
		}
		if resp.Header.Get("X-Amz-Request-Id") == "" || resp.Header.Get("X-Amz-Id-2") == "" {
			t.Errorf("%s: no request ids", method)
		}
	}
	s.Put("b", "k", []byte("x"))
	etag := `"9dd4e461268c8034f5c8564e155c67a6"`
	if resp, _ := send(t, s, "GET", "/b/k", "If-None-Match", etag); resp.StatusCode != 304 || resp.Header.Get("ETag") != etag {
		t.Errorf("If-None-Match: got status %d, ETag %s", resp.StatusCode, resp.Header.Get("ETag"))
	}
	if resp, _ := send(t, s, "HEAD", "/b"); resp.StatusCode != 200 || resp.Header.Get("X-Amz-Bucket-Region") != Region {
		t.Errorf("HEAD of the bucket: got status %d", resp.StatusCode)
	}
}

// An archived object is listed and described, and not to be read.
func TestArchived(t *testing.T) {
	s := start(t)
	s.Put("b", "k", []byte("x"), func(o *Object) { o.StorageClass = "GLACIER" })
	client := s.Client(once)
	out, err := client.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: aws.String("b")})
	if err != nil || out.Contents[0].StorageClass != "GLACIER" {
		t.Errorf("list: got %+v, %v", out, err)
	}
	head, err := client.HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	if err != nil || head.StorageClass != "GLACIER" {
		t.Errorf("head: got %+v, %v", head, err)
	}
	_, _, err = get(s)
	wantError(t, err, 403, "InvalidObjectState")
}
