package answer

import (
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/ipc"
)

// Page returns a page of a listing. A key with another prefix than the one asked for would become a
// file of another name, and a token that was used already would have the listing never end.
func Page(out *s3.ListObjectsV2Output, asked *ipc.List) (*ipc.Page, error) {
	if out.IsTruncated == nil {
		return nil, untrusted("ListObjectsV2 does not say whether the page is the last: it has no IsTruncated")
	}
	entries := len(out.Contents)
	// Some servers do not count the common prefixes.
	if n := out.KeyCount; n != nil && int(*n) != entries && int(*n) != entries+len(out.CommonPrefixes) {
		return nil, untrusted("ListObjectsV2 returned %d keys, and its KeyCount is %d", entries, *n)
	}
	page := &ipc.Page{Entries: make([]ipc.Entry, 0, entries), Prefixes: len(out.CommonPrefixes)}
	for i := range out.Contents {
		e, err := entryOf(&out.Contents[i], out.EncodingType, asked.Prefix)
		if err != nil {
			return nil, err
		}
		page.Entries = append(page.Entries, e)
	}
	if *out.IsTruncated {
		page.Next = text(out.NextContinuationToken)
		if page.Next == "" || page.Next == asked.Token {
			return nil, untrusted("ListObjectsV2 returned a truncated page without a new token")
		}
	}
	return page, nil
}

func entryOf(o *types.Object, encoding types.EncodingType, prefix string) (ipc.Entry, error) {
	key := text(o.Key)
	if encoding == types.EncodingTypeUrl { // not every server encodes them
		var err error
		if key, err = url.QueryUnescape(key); err != nil {
			return ipc.Entry{}, untrusted("ListObjectsV2 returned a key that is not url-encoded: %w", err)
		}
	}
	switch {
	case key == "":
		return ipc.Entry{}, untrusted("ListObjectsV2 returned an object without a key")
	case !strings.HasPrefix(key, prefix):
		return ipc.Entry{}, untrusted("ListObjectsV2 returned the key %q, which does not begin with %q", key, prefix)
	case o.Size == nil:
		return ipc.Entry{}, untrusted("ListObjectsV2 returned the key %q without a size", key)
	case *o.Size < 0:
		return ipc.Entry{}, untrusted("ListObjectsV2 returned the key %q with the size %d", key, *o.Size)
	}
	return ipc.Entry{
		Key:          []byte(key),
		Size:         *o.Size,
		ETag:         text(o.ETag),
		LastModified: aws.ToTime(o.LastModified),
		StorageClass: string(o.StorageClass),
	}, nil
}
