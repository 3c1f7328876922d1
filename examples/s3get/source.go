package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/s3processpool/processpool/internal/keypath"
)

const scheme = "s3://"

// source is an object, or with --recursive a prefix.
type source struct {
	bucket, key string
	filename    string // where the object goes
}

func (s source) String() string { return scheme + s.bucket + "/" + s.key }

// parseSource cuts s3://bucket/key. It is no URL: in a key % and ? are themselves. An
// access point's ARN has a slash of its own.
func parseSource(text string) (source, error) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(text, scheme), "/")
	if strings.HasPrefix(bucket, "arn:") && strings.HasSuffix(bucket, ":accesspoint") {
		name, rest, _ := strings.Cut(key, "/")
		bucket, key = bucket+"/"+name, rest
	}
	if bucket == "" {
		return source{}, fmt.Errorf("%q names no bucket: write s3://bucket/key", text)
	}
	return source{bucket: bucket, key: key}, nil
}

// placeFiles gives each object its file.
func (a *arguments) placeFiles() error {
	taken := map[string]source{}
	for i := range a.sources {
		s := &a.sources[i]
		if s.key == "" || strings.HasSuffix(s.key, "/") {
			return fmt.Errorf("%s is a prefix, not an object: add --recursive and a directory, or name a key", s)
		}
		if a.file != "" && !isDirectory(a.file) {
			s.filename = a.file
			continue
		}
		name := path.Base(s.key)
		if _, err := keypath.Of(name, runtime.GOOS == "windows"); err != nil {
			return fmt.Errorf("%s has no last part that could be a file's name: name the file behind it", s)
		}
		s.filename = filepath.Join(a.dir, name)
		if a.file != "" {
			s.filename = filepath.Join(a.file, name)
		}
		if other, ok := taken[s.filename]; ok {
			return fmt.Errorf("%s and %s would both become %s: download them one at a time, with a file name each", other, s, s.filename)
		}
		taken[s.filename] = *s
	}
	return nil
}

// isDirectory tells what cp would put files into.
func isDirectory(name string) bool {
	info, err := os.Stat(name)
	return os.IsPathSeparator(name[len(name)-1]) || err == nil && info.IsDir()
}
