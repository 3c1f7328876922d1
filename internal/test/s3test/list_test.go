package s3test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestList(t *testing.T) {
	s := start(t)
	for _, key := range []string{"a", "d/", "d/1", "d/2/x", "d/2/y", "d/3", "e/1", "z +é"} {
		s.Put("b", key, []byte(key))
	}
	s.Put("b", "gone", nil)
	s.Delete("b", "gone")
	client := s.Client(once)
	for _, c := range []struct {
		name string
		in   s3.ListObjectsV2Input
		want string // keys, then common prefixes
	}{
		{"all", s3.ListObjectsV2Input{}, "a d/ d/1 d/2/x d/2/y d/3 e/1 z +é |"},
		{"prefix", s3.ListObjectsV2Input{Prefix: aws.String("d/2")}, "d/2/x d/2/y |"},
		{"delimiter", s3.ListObjectsV2Input{Delimiter: aws.String("/")}, "a z +é | d/ e/"},
		{"both", s3.ListObjectsV2Input{Prefix: aws.String("d/"), Delimiter: aws.String("/")}, "d/ d/1 d/3 | d/2/"},
		{"start-after", s3.ListObjectsV2Input{StartAfter: aws.String("d/2/x")}, "d/2/y d/3 e/1 z +é |"},
		{"url", s3.ListObjectsV2Input{EncodingType: "url"}, "a d/ d/1 d/2/x d/2/y d/3 e/1 z +é |"},
	} {
		for _, pageSize := range []int32{1, 2, 3, 1000} {
			t.Run(fmt.Sprintf("%s pages=%d", c.name, pageSize), func(t *testing.T) {
				in := c.in
				in.Bucket, in.MaxKeys = aws.String("b"), &pageSize
				var keys, prefixes []string
				for p := s3.NewListObjectsV2Paginator(client, &in); p.HasMorePages(); {
					page, err := p.NextPage(context.Background())
					if err != nil {
						t.Fatal(err)
					}
					if got := len(page.Contents) + len(page.CommonPrefixes); got > int(pageSize) || got != int(aws.ToInt32(page.KeyCount)) {
						t.Errorf("got %d items on a page, KeyCount %d", got, aws.ToInt32(page.KeyCount))
					}
					for _, o := range page.Contents {
						key := aws.ToString(o.Key)
						if in.EncodingType == "url" {
							key, _ = url.QueryUnescape(key)
						}
						keys = append(keys, key)
						if aws.ToInt64(o.Size) != int64(len(key)) || o.ETag == nil || o.LastModified == nil {
							t.Errorf("key %q: got %+v", key, o)
						}
					}
					for _, p := range page.CommonPrefixes {
						prefixes = append(prefixes, aws.ToString(p.Prefix))
					}
				}
				got := strings.TrimSpace(strings.Join(slices.Concat(keys, []string{"|"}, prefixes), " "))
				if got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
			})
		}
	}
	_, err := client.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: aws.String("no")})
	wantError(t, err, 404, "NoSuchBucket")
	_, err = client.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: aws.String("b"), ContinuationToken: aws.String("?")})
	wantError(t, err, 400, "InvalidArgument")
}

// A listing has what was stored, overwritten and deleted since the one before.
func TestListAfterChange(t *testing.T) {
	s := start(t)
	client := s.Client(once)
	list := func() string {
		t.Helper()
		out, err := client.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: aws.String("b")})
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, o := range out.Contents {
			all = append(all, fmt.Sprint(aws.ToString(o.Key), aws.ToInt64(o.Size)))
		}
		return strings.Join(all, " ")
	}
	for _, c := range []struct {
		change func()
		want   string
	}{
		{func() { s.Put("b", "k", []byte("1")) }, "k1"},
		{func() { s.Put("b", "a", nil) }, "a0 k1"},
		{func() { s.Put("b", "k", []byte("22")) }, "a0 k2"},
		{func() { s.Delete("b", "a") }, "k2"},
		{func() { s.SetVersioning("b", true); s.Delete("b", "k") }, ""},
	} {
		if c.change(); list() != c.want {
			t.Errorf("got %q, want %q", list(), c.want)
		}
	}
}
