package list

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

func (r *jsonReader) Next() (Item, error) {
	for {
		line, err := readLine(r.in)
		if err != nil {
			return Item{}, at(r.n+1, err)
		}
		r.n++
		if strings.TrimSpace(line) == "" {
			continue
		}
		var j jsonItem
		if err := json.Unmarshal([]byte(line), &j); err != nil {
			return Item{}, at(r.n, fmt.Errorf("it is no JSON object of an entry: %w", err))
		}
		it := Item{Bucket: j.Bucket, Key: j.Key, File: j.File, Size: -1, ETag: quotedETag(j.ETag), VersionID: j.VersionID, Checksum: j.Checksum}
		if j.Size != nil {
			it.Size = *j.Size
		}
		if j.Event != "" && j.Event != "object" || j.Type == "directory" {
			it.Skip = "no object"
			return it, nil
		}
		return it, at(r.n, it.complete(j.URL, r.bucket))
	}
}

// complete takes bucket and key from a URL, which may be in the place of the key, and the bucket
// from the arguments if the entry has none. It returns what is missing or wrong.
func (it *Item) complete(url, bucket string) error {
	if it.Bucket == "" && strings.HasPrefix(it.Key, Scheme) {
		url = it.Key
	}
	if url != "" {
		if !strings.HasPrefix(url, Scheme) {
			return fmt.Errorf("%q is not of the form s3://bucket/key", url)
		}
		var err error
		if it.Bucket, it.Key, err = ParseURL(url); err != nil {
			return err
		}
	}
	if it.Bucket == "" {
		it.Bucket = bucket
	}
	switch {
	case it.Key == "":
		return errors.New("it has no key")
	case it.Bucket == "":
		return errors.New("it has no bucket: name one with --bucket")
	case it.Size < -1:
		return fmt.Errorf("its size is %d", it.Size)
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
