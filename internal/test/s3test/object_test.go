package s3test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

var partSizes = []int64{500, 300, 200}

// The client of the SDK verifies checksums if it can, so get returns an error for a wrong one.
func TestChecksums(t *testing.T) {
	s := start(t)
	data := PatternBytes(1, 1000)
	for _, alg := range []string{"crc64nvme", "crc32c", "crc32", "sha1", "sha256"} {
		header := "X-Amz-Checksum-" + alg
		s.Put("b", "k", data, WithChecksum(alg, "FULL_OBJECT"))
		if _, body, err := get(s); err != nil || !bytes.Equal(body, data) {
			t.Errorf("%s full: error %v", alg, err)
		}
		for _, method := range []string{"GET", "HEAD"} {
			resp, _ := send(t, s, method, "/b/k", "X-Amz-Checksum-Mode", "ENABLED")
			if resp.Header.Get(header) == "" || resp.Header.Get("X-Amz-Checksum-Type") != "FULL_OBJECT" {
				t.Errorf("%s full: %s has %v", alg, method, resp.Header)
			}
		}
		s.Put("b", "k", data, WithChecksum(alg, "COMPOSITE"), WithParts(partSizes...))
		resp, _ := send(t, s, "HEAD", "/b/k", "X-Amz-Checksum-Mode", "ENABLED")
		if !strings.HasSuffix(resp.Header.Get(header), "-3") || resp.Header.Get("X-Amz-Checksum-Type") != "COMPOSITE" {
			t.Errorf("%s composite: got %v", alg, resp.Header)
		}
		for n := range int32(3) {
			if _, _, err := get(s, func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(n + 1) }); err != nil {
				t.Errorf("%s part %d: %v", alg, n+1, err)
			}
		}
	}
	o := s.Put("b", "k", data, WithChecksum("", ""))
	resp, _ := send(t, s, "HEAD", "/b/k", "X-Amz-Checksum-Mode", "ENABLED")
	if o.Checksums != nil || resp.Header.Get("X-Amz-Checksum-Type") != "" {
		t.Errorf("none: got %v", resp.Header)
	}
	s = start(t, func(o *Options) { o.ETagOnly = true })
	s.Put("b", "k", data)
	resp, _ = send(t, s, "HEAD", "/b/k", "X-Amz-Checksum-Mode", "ENABLED")
	if resp.Header.Get("ETag") == "" || resp.Header.Get("X-Amz-Checksum-Crc64nvme") != "" {
		t.Errorf("ETagOnly: got %v", resp.Header)
	}
}

func TestParts(t *testing.T) {
	s := start(t)
	data := PatternBytes(2, 1000)
	o := s.Put("b", "k", data, WithParts(partSizes...), WithChecksum("crc32c", "COMPOSITE"))
	if !strings.HasSuffix(o.ETag, `-3"`) {
		t.Errorf("got ETag %s", o.ETag)
	}
	from := int64(0)
	for i, size := range partSizes {
		want := data[from : from+size]
		out, body, err := get(s, func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(int32(i + 1)) })
		if err != nil || !bytes.Equal(body, want) {
			t.Fatalf("part %d: got %d bytes, error %v", i+1, len(body), err)
		}
		if got, want := aws.ToString(out.ContentRange), fmt.Sprintf("bytes %d-%d/1000", from, from+size-1); got != want {
			t.Errorf("part %d: got Content-Range %s, want %s", i+1, got, want)
		}
		sum := crc32.Checksum(want, crc32.MakeTable(crc32.Castagnoli))
		crc := base64.StdEncoding.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
		if aws.ToString(out.ChecksumCRC32C) != crc || aws.ToInt32(out.PartsCount) != 3 {
			t.Errorf("part %d: got crc32c %s of %d parts, want %s of 3", i+1, aws.ToString(out.ChecksumCRC32C), aws.ToInt32(out.PartsCount), crc)
		}
		from += size
	}
	s.Put("b", "k", data)
	resp, _ := send(t, s, "HEAD", "/b/k?partNumber=1")
	if resp.StatusCode != 206 || resp.Header.Get("Content-Range") != "bytes 0-999/1000" || resp.Header.Get("X-Amz-Mp-Parts-Count") != "" {
		t.Errorf("one PUT: got %d %v", resp.StatusCode, resp.Header)
	}
}

func TestObjectAttributes(t *testing.T) {
	s := start(t)
	s.Put("b", "k", PatternBytes(2, 1000), WithParts(partSizes...), WithChecksum("sha256", "COMPOSITE"))
	client := s.Client(once)
	attributes := func(marker *string, maxParts int32) *s3.GetObjectAttributesOutput {
		t.Helper()
		out, err := client.GetObjectAttributes(context.Background(), &s3.GetObjectAttributesInput{
			Bucket: aws.String("b"), Key: aws.String("k"), PartNumberMarker: marker, MaxParts: &maxParts,
			ObjectAttributes: types.ObjectAttributes("").Values(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := attributes(nil, 2)
	if aws.ToInt64(out.ObjectSize) != 1000 || !strings.HasSuffix(aws.ToString(out.ETag), "-3") ||
		!strings.HasSuffix(aws.ToString(out.Checksum.ChecksumSHA256), "-3") || out.Checksum.ChecksumType != "COMPOSITE" {
		t.Errorf("got size %d, ETag %s, checksum %+v", aws.ToInt64(out.ObjectSize), aws.ToString(out.ETag), out.Checksum)
	}
	parts := out.ObjectParts
	if !aws.ToBool(parts.IsTruncated) || len(parts.Parts) != 2 || aws.ToInt32(parts.TotalPartsCount) != 3 {
		t.Fatalf("first page: got %+v", parts)
	}
	second := attributes(parts.NextPartNumberMarker, 2).ObjectParts
	if aws.ToBool(second.IsTruncated) || len(second.Parts) != 1 {
		t.Fatalf("second page: got %+v", second)
	}
	for i, p := range append(parts.Parts, second.Parts...) {
		if aws.ToInt32(p.PartNumber) != int32(i+1) || aws.ToInt64(p.Size) != partSizes[i] || p.ChecksumSHA256 == nil {
			t.Errorf("part %d: got %+v", i+1, p)
		}
	}
	s.Put("b", "k", PatternBytes(2, 1000), WithParts(partSizes...), WithChecksum("", ""))
	if p := attributes(nil, 10).ObjectParts; len(p.Parts) != 0 || aws.ToInt32(p.TotalPartsCount) != 3 {
		t.Errorf("without checksums: got %+v", p)
	}
	s.Put("b", "k", nil)
	if out := attributes(nil, 10); out.ObjectParts != nil || aws.ToInt64(out.ObjectSize) != 0 || out.ObjectSize == nil {
		t.Errorf("one PUT: got %+v", out)
	}
}
