package answer

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/leak"
)

func TestPage(t *testing.T) {
	leak.Check(t)
	modified := time.Unix(1700000000, 0).UTC()
	object := func(key string) types.Object {
		return types.Object{
			Key: aws.String(key), Size: aws.Int64(7), ETag: aws.String(`"e"`), LastModified: &modified,
			StorageClass: types.ObjectStorageClassGlacier,
		}
	}
	entry := func(key string) ipc.Entry {
		return ipc.Entry{Key: []byte(key), Size: 7, ETag: `"e"`, LastModified: modified, StorageClass: "GLACIER"}
	}
	url := types.EncodingTypeUrl
	yes, no := aws.Bool(true), aws.Bool(false)
	negative := object("a")
	negative.Size = aws.Int64(-1)
	sizeless := object("a")
	sizeless.Size = nil
	for _, c := range []struct {
		name  string
		out   s3.ListObjectsV2Output
		asked ipc.List
		want  *ipc.Page // nil = ErrUnexpected
	}{
		{"nothing", s3.ListObjectsV2Output{}, ipc.List{}, nil},
		{"no IsTruncated", s3.ListObjectsV2Output{Contents: []types.Object{object("a")}}, ipc.List{}, nil},
		{"empty", s3.ListObjectsV2Output{IsTruncated: no}, ipc.List{}, &ipc.Page{Entries: []ipc.Entry{}}},
		{"empty key", s3.ListObjectsV2Output{IsTruncated: no, Contents: []types.Object{object("")}}, ipc.List{}, nil},
		{"no size", s3.ListObjectsV2Output{IsTruncated: no, Contents: []types.Object{sizeless}}, ipc.List{}, nil},
		{"a negative size", s3.ListObjectsV2Output{IsTruncated: no, Contents: []types.Object{negative}}, ipc.List{}, nil},
		{"KeyCount", s3.ListObjectsV2Output{IsTruncated: no, KeyCount: aws.Int32(1), Contents: []types.Object{object("a")}}, ipc.List{},
			&ipc.Page{Entries: []ipc.Entry{entry("a")}}},
		{"KeyCount with prefixes", s3.ListObjectsV2Output{IsTruncated: no, KeyCount: aws.Int32(2), Contents: []types.Object{object("a")},
			CommonPrefixes: make([]types.CommonPrefix, 1)}, ipc.List{}, &ipc.Page{Entries: []ipc.Entry{entry("a")}, Prefixes: 1}},
		{"KeyCount without prefixes", s3.ListObjectsV2Output{IsTruncated: no, KeyCount: aws.Int32(1), Contents: []types.Object{object("a")},
			CommonPrefixes: make([]types.CommonPrefix, 1)}, ipc.List{}, &ipc.Page{Entries: []ipc.Entry{entry("a")}, Prefixes: 1}},
		{"another KeyCount", s3.ListObjectsV2Output{IsTruncated: no, KeyCount: aws.Int32(2), Contents: []types.Object{object("a")}}, ipc.List{}, nil},
		{"plain", s3.ListObjectsV2Output{IsTruncated: no, Contents: []types.Object{object("a+%20")}}, ipc.List{},
			&ipc.Page{Entries: []ipc.Entry{entry("a+%20")}}},
		{"encoded", s3.ListObjectsV2Output{EncodingType: url, IsTruncated: no, Contents: []types.Object{object("a+b%2Bc/%01%FF")}}, ipc.List{Prefix: "a b+"},
			&ipc.Page{Entries: []ipc.Entry{entry("a b+c/\x01\xff")}}},
		{"badly encoded", s3.ListObjectsV2Output{EncodingType: url, IsTruncated: no, Contents: []types.Object{object("a%zz")}}, ipc.List{}, nil},
		{"another prefix", s3.ListObjectsV2Output{IsTruncated: no, Contents: []types.Object{object("p/a"), object("q/a")}}, ipc.List{Prefix: "p/"}, nil},
		{"no key", s3.ListObjectsV2Output{IsTruncated: no, Contents: []types.Object{{Size: aws.Int64(1)}}}, ipc.List{}, nil},
		{"more", s3.ListObjectsV2Output{IsTruncated: yes, NextContinuationToken: aws.String("2")}, ipc.List{Token: "1"},
			&ipc.Page{Entries: []ipc.Entry{}, Next: "2"}},
		{"no more", s3.ListObjectsV2Output{IsTruncated: no, NextContinuationToken: aws.String("2")}, ipc.List{Token: "1"}, &ipc.Page{Entries: []ipc.Entry{}}},
		{"more, and no token", s3.ListObjectsV2Output{IsTruncated: yes}, ipc.List{}, nil},
		{"more of the same", s3.ListObjectsV2Output{IsTruncated: yes, NextContinuationToken: aws.String("1")}, ipc.List{Token: "1"}, nil},
	} {
		got, err := Page(&c.out, &c.asked)
		if c.want == nil {
			if got != nil || !errors.Is(err, failure.ErrUnexpected) {
				t.Errorf("%s: got %+v, %v, want ErrUnexpected", c.name, got, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
}
