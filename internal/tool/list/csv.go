package list

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
)

// csvReader reads CSV, such as S3 Inventory writes
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html).
type csvReader struct {
	in        *csv.Reader
	columns   map[string]int // by the name of columnNames
	bucket    string         // of entries that have none
	inventory bool           // keys are URL-encoded, as in S3 Inventory's files, which have no heading
	first     []string       // a row that was read to see whether it is a heading
}

// columnNames are the columns that count, by their names in lower case without underscores.
var columnNames = map[string]string{
	"bucket": "bucket", "key": "key", "url": "url", "file": "file", "size": "size", "etag": "etag", "versionid": "version",
	"isdeletemarker": "deleted", "checksum": "checksum",
}

// newCSVReader takes the columns from names, else from a heading, or else as S3 Inventory has them
// at least: the bucket, the key.
func newCSVReader(in *bufio.Reader, names, bucket string) (*csvReader, error) {
	r := &csvReader{in: csv.NewReader(in), bucket: bucket}
	r.in.FieldsPerRecord = -1 // checked with the columns
	r.in.ReuseRecord = false
	if names != "" {
		r.columns, r.inventory = columnsOf(strings.Split(names, ",")), true
	} else {
		row, err := r.in.Read()
		switch {
		case errors.Is(err, io.EOF):
			return r, nil
		case err != nil:
			return nil, err
		}
		if r.columns = columnsOf(row); !r.known() {
			r.columns, r.inventory, r.first = map[string]int{"bucket": 0, "key": 1}, true, row
		}
	}
	if !r.known() {
		return nil, fmt.Errorf("--columns %q has no Key", names)
	}
	return r, nil
}

func columnsOf(names []string) map[string]int {
	columns := map[string]int{}
	for i, name := range names {
		name = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(name), "_", ""))
		if column, ok := columnNames[name]; ok {
			columns[column] = i
		}
	}
	return columns
}

// known reports whether the columns tell an object.
func (r *csvReader) known() bool {
	_, key := r.columns["key"]
	_, url := r.columns["url"]
	return key || url
}

func (r *csvReader) Next() (Item, error) {
	row := r.first
	if r.first = nil; row == nil {
		var err error
		if row, err = r.in.Read(); err != nil {
			return Item{}, err // names the line
		}
	}
	line, _ := r.in.FieldPos(0)
	field := func(column string) string {
		if i, ok := r.columns[column]; ok && i < len(row) {
			return row[i]
		}
		return ""
	}
	it := Item{
		Bucket: field("bucket"), Key: field("key"), File: field("file"), Size: -1,
		ETag: quotedETag(field("etag")), VersionID: field("version"), Checksum: field("checksum"),
	}
	if field("deleted") == "true" {
		it.Skip = "a delete marker"
		return it, nil
	}
	if r.inventory {
		key, err := url.QueryUnescape(it.Key)
		if err != nil {
			return Item{}, at(line, fmt.Errorf("the key %q is not URL-encoded, as S3 Inventory's are: use a heading if it is plain", it.Key))
		}
		it.Key = key
	}
	if text := field("size"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return Item{}, at(line, fmt.Errorf("the size %q is no number of bytes", text))
		}
		it.Size = n
	}
	return it, at(line, it.complete(field("url"), r.bucket))
}
