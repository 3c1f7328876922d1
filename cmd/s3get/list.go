package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/keypath"
)

// item is an entry of a list.
type item struct {
	bucket, key string
	file        string // "": below the directory, where the key says
	size        int64  // -1: not given
	etag        string
	versionID   string
	checksum    string // as of --checksum; "": not given
	skip        string // why the entry is no object; "": it is one
}

// reader reads the entries of a list one by one. At its end it returns io.EOF.
type reader interface{ next() (item, error) }

// list downloads what a list names. An entry that cannot be read ends the command, since those
// after it may be misread too.
func (g *getter) list(ctx context.Context, v view) {
	in, err := openList(g.program.list)
	if err == nil {
		defer in.Close()
		g.all(ctx, v, func(ctx context.Context, yield func(*job) bool) { err = g.entries(interruptibly(ctx, in), v, yield) })
	}
	if g.stopOnError && g.tally.failed > 0 {
		return
	}
	if err != nil && ctx.Err() == nil {
		g.stop(v, problem{object: g.program.list, what: oneLine(err.Error()), code: "List", cause: cause{err: err},
			todo: "correct the list, then run the same command again (--resume skips what is complete)"})
	}
}

func openList(name string) (*os.File, error) {
	if name == "-" {
		return os.Stdin, nil
	}
	return os.Open(name)
}

// interruptibly returns a reader of in whose Read fails when ctx ends, although that of in may wait
// for what somebody types.
func interruptibly(ctx context.Context, in io.Reader) io.Reader {
	out, to := io.Pipe()
	go func() {
		_, err := io.Copy(to, in)
		to.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { out.CloseWithError(context.Cause(ctx)) })
	return out
}

// entries yields the jobs of a list until yield has enough.
func (g *getter) entries(in io.Reader, v view, yield func(*job) bool) error {
	buffered := bufio.NewReaderSize(in, 64<<10)
	r, err := g.reader(buffered)
	if err != nil {
		return err
	}
	for {
		it, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case it.skip != "" || !g.wantsItem(&it):
			continue
		}
		j, err := g.jobFor(it)
		if err != nil {
			g.refuse(v, it, err)
			continue
		}
		if !yield(j) {
			return nil
		}
	}
}

func (g *getter) wantsItem(it *item) bool { return g.wants(it.key) && g.shard.wants(it.key) }

// reader returns the reader of the list's format. Without --format its name decides, or else its
// first character.
func (g *getter) reader(in *bufio.Reader) (reader, error) {
	format := g.format
	if format == "" {
		format = "lines"
		first, _ := in.Peek(1)
		switch ext := filepath.Ext(g.program.list); {
		case ext == ".csv" || len(first) == 1 && first[0] == '"':
			format = "csv"
		case ext == ".jsonl" || ext == ".ndjson" || len(first) == 1 && first[0] == '{':
			format = "jsonl"
		}
	}
	switch format {
	case "csv":
		return newCSVReader(in, g.columns, g.bucket)
	case "jsonl":
		return &jsonReader{in: in, bucket: g.bucket}, nil
	}
	return &lineReader{in: in, raw: g.raw}, nil
}

// jobFor returns the job of an entry, and creates the directory of its file.
func (g *getter) jobFor(it item) (*job, error) {
	j := &job{source: source{bucket: it.bucket, key: it.key}, size: it.size, etag: it.etag, versionID: it.versionID}
	if it.checksum != "" {
		digest, err := parseDigest(it.checksum)
		if err != nil {
			return nil, fmt.Errorf("the checksum %q: %w", it.checksum, err)
		}
		j.options = append(j.options, func(o *processpool.DownloadOptions) { o.Expect = digests{digest} })
	}
	if it.file != "" {
		j.filename = it.file
		if isDirectory(it.file) {
			j.filename = filepath.Join(it.file, filepath.Base(filepath.FromSlash(it.key)))
		}
		if !filepath.IsAbs(j.filename) {
			j.filename = filepath.Join(g.dir, j.filename)
		}
		if g.dryRun {
			return j, nil
		}
		return j, os.MkdirAll(filepath.Dir(j.filename), 0o777)
	}
	p, err := keypath.Of(it.key, runtime.GOOS == "windows")
	if err != nil {
		return nil, err
	}
	if p.Dir {
		return nil, fmt.Errorf("%w: it stands for a directory", keypath.ErrUnsafe)
	}
	j.filename = filepath.Join(g.dir, filepath.FromSlash(p.Name))
	if g.dryRun {
		return j, nil
	}
	return j, g.mkdirBelow(p.Name)
}

// mkdirBelow creates the directories of a name below the directory for files. No symbolic link
// leads it out of there.
func (g *getter) mkdirBelow(name string) error {
	dir := g.dir
	if dir == "" {
		dir = "."
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return root.MkdirAll(filepath.FromSlash(name[:i]), 0o777)
}

// refuse reports an entry that has no file.
func (g *getter) refuse(v view, it item, err error) {
	g.reports.Lock()
	defer g.reports.Unlock()
	g.tally.failed++
	v.trouble(newProblem(source{bucket: it.bucket, key: it.key}, err))
}
