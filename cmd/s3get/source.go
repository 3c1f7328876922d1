package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/s3processpool/processpool/internal/keypath"
	"github.com/s3processpool/processpool/internal/tool/list"
)

const scheme = list.Scheme

// source is an object, a prefix with --recursive, or a pattern.
type source struct {
	bucket, key string
	filename    string // destination of the object
	pattern     string // the key, if it has wildcards; "": it has none
}

func (s source) String() string { return scheme + s.bucket + "/" + s.key }

// parseSource parses s3://bucket/key.
func parseSource(text string) (source, error) {
	bucket, key, err := list.ParseURL(text)
	return source{bucket: bucket, key: key}, err
}

// placeFiles sets the destination of each object.
func (a *arguments) placeFiles() error {
	taken := map[string]source{}
	for i := range a.sources {
		s := &a.sources[i]
		if s.pattern != "" {
			continue
		}
		if s.key == "" || strings.HasSuffix(s.key, "/") {
			return fmt.Errorf("%s is a prefix, not an object: add --recursive and a directory, or name a key", s)
		}
		if a.file != "" && !isDirectory(a.file) {
			s.filename = a.file
			continue
		}
		name := path.Base(s.key)
		if _, err := keypath.Of(name, runtime.GOOS == "windows"); err != nil {
			return fmt.Errorf("the last part of %s is not a valid file name: add a file name after it", s)
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

// isDirectory reports whether cp would treat name as a directory.
func isDirectory(name string) bool {
	info, err := os.Stat(name)
	return os.IsPathSeparator(name[len(name)-1]) || err == nil && info.IsDir()
}
