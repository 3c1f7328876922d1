package fleet

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/keypath"
	"github.com/s3processpool/processpool/internal/tool/ask"
	"github.com/s3processpool/processpool/internal/tool/list"
)

// Prefix is the Source of all objects below a prefix. Its cursor is a key.
func Prefix(cfg aws.Config, bucket, prefix string, optFns ...func(*s3.Options)) Source {
	return &prefixSource{ask.New(cfg, optFns...), bucket, prefix}
}

type prefixSource struct {
	client         *ask.Client
	bucket, prefix string
}

func (s *prefixSource) Name() string { return list.Scheme + s.bucket + "/" + s.prefix }

func (s *prefixSource) Objects(ctx context.Context, cursor string) iter.Seq2[Planned, error] {
	return func(yield func(Planned, error) bool) {
		in := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &s.prefix}
		if cursor != "" {
			in.StartAfter = &cursor
		}
		for {
			page, err := ask.Do(s.client, func(c *s3.Client, region func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
				return c.ListObjectsV2(ctx, in, region)
			})
			if err != nil {
				yield(Planned{}, fmt.Errorf("list %s: %w", s.Name(), err))
				return
			}
			for _, o := range page.Contents {
				key := aws.ToString(o.Key)
				p := Planned{Cursor: key, Skip: strings.HasSuffix(key, "/")} // it stands for a directory
				p.Object = Object{
					Bucket: s.bucket, Key: key, ETag: aws.ToString(o.ETag), Size: aws.ToInt64(o.Size),
					File: fileOf(strings.TrimPrefix(key, keypath.Base(s.prefix))),
				}
				if !yield(p, nil) {
					return
				}
			}
			if !aws.ToBool(page.IsTruncated) || page.NextContinuationToken == nil {
				return
			}
			in.ContinuationToken, in.StartAfter = page.NextContinuationToken, nil
		}
	}
}

// fileOf returns the destination of a key, or "" if it has none of its own.
func fileOf(rest string) string {
	p, err := keypath.Of(rest, runtime.GOOS == "windows")
	if err != nil || p.Dir {
		return ""
	}
	return p.Name
}

// List is the Source of a list of objects: lines of URLs, JSONL, CSV, or a file of S3 Inventory, also
// compressed with gzip. Its cursor is the number of entries.
type List struct {
	File    string // "-": standard input
	Format  string // lines, jsonl or csv; "": by the name, or else by the first character
	Columns string // of a CSV without a heading, separated by commas
	Bucket  string // of entries that have none
	Raw     bool   // * and ? are characters of a key
}

// Name tells the list by its place, size and time: a list that has changed is another one.
func (l *List) Name() string {
	if l.File == "-" {
		return "standard input"
	}
	name, err := filepath.Abs(l.File)
	if err != nil {
		name = l.File
	}
	info, err := os.Stat(name)
	if err != nil {
		return "list " + name
	}
	return fmt.Sprintf("list %s (%d bytes, of %s)", name, info.Size(), info.ModTime().UTC().Format("2006-01-02T15:04:05.999999999Z"))
}

// Objects yields the entries of the list.
func (l *List) Objects(ctx context.Context, cursor string) iter.Seq2[Planned, error] {
	return func(yield func(Planned, error) bool) {
		if err := l.read(ctx, cursor, func(p Planned) bool { return yield(p, nil) }); err != nil {
			yield(Planned{}, fmt.Errorf("%s: %w", l.File, err))
		}
	}
}

func (l *List) read(ctx context.Context, cursor string, yield func(Planned) bool) error {
	done, _ := strconv.ParseInt(cursor, 10, 64)
	in, closer, err := l.open()
	if err != nil {
		return err
	}
	defer closer()
	r, err := list.New(in, list.Options{
		Format: l.Format, Name: strings.TrimSuffix(l.File, ".gz"), Columns: l.Columns, Bucket: l.Bucket, Raw: l.Raw,
	})
	if err != nil {
		return err
	}
	for n := int64(1); ctx.Err() == nil; n++ {
		it, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case n <= done:
			continue
		}
		p := Planned{Cursor: strconv.FormatInt(n, 10), Skip: it.Skip != ""}
		p.Object = Object{
			Bucket: it.Bucket, Key: it.Key, Version: it.VersionID, ETag: it.ETag, Size: it.Size, Checksum: it.Checksum, File: fileOf(it.Key),
		}
		if it.File != "" {
			name := filepath.ToSlash(it.File)
			if strings.HasSuffix(name, "/") {
				name += path.Base(it.Key)
			}
			if p.Object.File = path.Clean(name); !filepath.IsLocal(filepath.FromSlash(name)) {
				return fmt.Errorf("entry %d: the file %q is not below the directory of the run", n, it.File)
			}
		}
		if !yield(p) {
			return nil
		}
	}
	return ctx.Err()
}

func (l *List) open() (*bufio.Reader, func() error, error) {
	f := os.Stdin
	if l.File != "-" {
		var err error
		if f, err = os.Open(l.File); err != nil {
			return nil, nil, err
		}
	}
	in := bufio.NewReaderSize(f, 64<<10)
	if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, nil, errors.Join(err, f.Close())
		}
		in = bufio.NewReaderSize(z, 64<<10)
	}
	return in, f.Close, nil
}
