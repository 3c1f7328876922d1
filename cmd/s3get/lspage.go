package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/keypath"
	"github.com/s3processpool/processpool/internal/tool/show"
)

// page prints a page: common prefixes and objects in the order of their names.
func (l *lister) page(s source, page *s3.ListObjectsV2Output) error {
	decode := func(text *string) (string, error) {
		if page.EncodingType != "url" {
			return aws.ToString(text), nil
		}
		name, err := url.QueryUnescape(aws.ToString(text))
		if err != nil {
			return "", fmt.Errorf("the listing has a key that is not URL-encoded: %w", err)
		}
		return name, nil
	}
	base := keypath.Base(s.key)
	if s.pattern != "" {
		base = keypath.Base(literal(s.pattern))
	}
	prefixes := page.CommonPrefixes
	for i := 0; i < len(page.Contents) || len(prefixes) > 0; {
		var key, prefix string
		var err error
		if len(prefixes) > 0 {
			if prefix, err = decode(prefixes[0].Prefix); err != nil {
				return err
			}
		}
		if i < len(page.Contents) {
			if key, err = decode(page.Contents[i].Key); err != nil {
				return err
			}
		}
		if i == len(page.Contents) || prefix != "" && prefix < key {
			prefixes = prefixes[1:]
			l.printPrefix(s.bucket, prefix)
			continue
		}
		if l.selects(s, key, base) {
			l.printObject(s.bucket, key, &page.Contents[i])
		}
		i++
	}
	return nil
}

// selects reports whether a key matches the pattern, the globs and the shard.
func (l *lister) selects(s source, key, base string) bool {
	if s.pattern != "" && !matchKey(s.pattern, key) {
		return false
	}
	rest := strings.TrimPrefix(key, base)
	return (len(l.include) == 0 || l.include.match(rest)) && !l.exclude.match(rest) && l.shard.wants(key)
}

// printPrefix prints a prefix that stands for a directory.
func (l *lister) printPrefix(bucket, prefix string) {
	l.seen = true
	if l.events == nil {
		fmt.Fprintf(l.out, "%19s %14s %s\n", "", "DIR", show.Printable(prefix))
		return
	}
	l.events.print(prefixEvent{Event: "prefix", Bucket: bucket, Prefix: prefix})
}

// asListing makes an error of a listing what the library's would be, for the advice.
func asListing(err error) error {
	return &processpool.TransferError{Op: processpool.OpList, Err: err}
}
