// Package list reads lists of objects: lines of URLs, JSONL, CSV, and the files of S3 Inventory.
package list

import (
	"bufio"
	"fmt"
	"path/filepath"
	"strings"
)

// Scheme is what the URL of an object begins with.
const Scheme = "s3://"

// Item is an entry of a list.
type Item struct {
	Bucket, Key string
	File        string // "": below the directory, where the key says
	Size        int64  // -1: not given
	ETag        string // with its quotes
	VersionID   string
	Checksum    string // an algorithm, a colon and a digest in hex or base64; "": not given
	Skip        string // why the entry is no object; "": it is one
}

// Reader reads the entries of a list one by one. At its end it returns io.EOF.
type Reader interface{ Next() (Item, error) }

// Options say how to read a list.
type Options struct {
	Format  string // lines, jsonl or csv; "": by the list's name, or else by its first character
	Name    string // of the list's file
	Columns string // of a CSV without a heading, separated by commas; "": bucket and key
	Bucket  string // of entries that have none
	Raw     bool   // * and ? are characters of a key
}

// New returns the reader of a list.
func New(in *bufio.Reader, o Options) (Reader, error) {
	format := o.Format
	if format == "" {
		format = "lines"
		first, _ := in.Peek(1)
		switch ext := filepath.Ext(o.Name); {
		case ext == ".csv" || len(first) == 1 && first[0] == '"':
			format = "csv"
		case ext == ".jsonl" || ext == ".ndjson" || len(first) == 1 && first[0] == '{':
			format = "jsonl"
		}
	}
	switch format {
	case "csv":
		return newCSVReader(in, o.Columns, o.Bucket)
	case "jsonl":
		return &jsonReader{in: in, bucket: o.Bucket}, nil
	}
	return &lineReader{in: in, raw: o.Raw}, nil
}

// ParseURL parses s3://bucket/key. This is not a URL: % and ? have no special meaning in a key.
// The ARN of an access point contains a slash.
func ParseURL(text string) (bucket, key string, err error) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(text, Scheme), "/")
	if strings.HasPrefix(bucket, "arn:") && strings.HasSuffix(bucket, ":accesspoint") {
		name, rest, _ := strings.Cut(key, "/")
		bucket, key = bucket+"/"+name, rest
	}
	if bucket == "" {
		return "", "", fmt.Errorf("%q contains no bucket: write s3://bucket/key", text)
	}
	return bucket, key, nil
}
