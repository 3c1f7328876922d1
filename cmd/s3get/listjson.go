package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// jsonReader reads lines of JSON, such as s3get ls --json and s5cmd --json ls write.
type jsonReader struct {
	in     *bufio.Reader
	bucket string // of entries that have none
	n      int
}

// jsonItem has the fields of an entry. Others are ignored.
type jsonItem struct {
	Event     string `json:"event"` // of s3get ls; "": of another program
	Type      string `json:"type"`  // of s5cmd: file or directory
	Bucket    string `json:"bucket"`
	Key       string `json:"key"` // or a URL, as in s5cmd's
	URL       string `json:"url"`
	File      string `json:"file"`
	Size      *int64 `json:"size"`
	ETag      string `json:"etag"`
	VersionID string `json:"versionId"`
	Checksum  string `json:"checksum"` // as of --checksum
}

func (r *jsonReader) next() (item, error) {
	for {
		line, err := readLine(r.in)
		if err != nil {
			return item{}, at(r.n+1, err)
		}
		r.n++
		if strings.TrimSpace(line) == "" {
			continue
		}
		var j jsonItem
		if err := json.Unmarshal([]byte(line), &j); err != nil {
			return item{}, at(r.n, fmt.Errorf("it is no JSON object of an entry: %w", err))
		}
		it := item{bucket: j.Bucket, key: j.Key, file: j.File, size: -1, etag: quotedETag(j.ETag), versionID: j.VersionID, checksum: j.Checksum}
		if j.Size != nil {
			it.size = *j.Size
		}
		if j.Event != "" && j.Event != "object" || j.Type == "directory" {
			it.skip = "no object"
			return it, nil
		}
		return it, at(r.n, it.complete(j.URL, r.bucket))
	}
}

// complete takes bucket and key from a URL, which may be in the place of the key, and the bucket
// from the arguments if the entry has none. It returns what is missing or wrong.
func (it *item) complete(url, bucket string) error {
	if it.bucket == "" && strings.HasPrefix(it.key, scheme) {
		url = it.key
	}
	if url != "" {
		if !strings.HasPrefix(url, scheme) {
			return fmt.Errorf("%q is not of the form s3://bucket/key", url)
		}
		s, err := parseSource(url)
		if err != nil {
			return err
		}
		it.bucket, it.key = s.bucket, s.key
	}
	if it.bucket == "" {
		it.bucket = bucket
	}
	switch {
	case it.key == "":
		return errors.New("it has no key")
	case it.bucket == "":
		return errors.New("it has no bucket: name one with --bucket")
	case it.size < -1:
		return fmt.Errorf("its size is %d", it.size)
	}
	return nil
}

// quotedETag returns an ETag with its quotes, which many programs leave out.
func quotedETag(etag string) string {
	if etag == "" || strings.HasPrefix(etag, `"`) {
		return etag
	}
	return `"` + etag + `"`
}
