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
	"github.com/s3processpool/processpool/internal/tool/digest"
	"github.com/s3processpool/processpool/internal/tool/list"
	"github.com/s3processpool/processpool/internal/tool/show"
)

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
		g.stop(v, problem{object: g.program.list, what: show.OneLine(err.Error()), code: "List", cause: cause{err: err},
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
	r, err := g.reader(in)
	if err != nil {
		return err
	}
	for {
		it, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case it.Skip != "" || !g.wantsItem(&it):
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

func (g *getter) reader(in io.Reader) (list.Reader, error) {
	return list.New(bufio.NewReaderSize(in, 64<<10), list.Options{
		Format: string(g.format), Name: g.program.list, Columns: g.columns, Bucket: g.bucket, Raw: g.raw,
	})
}

func (g *getter) wantsItem(it *list.Item) bool { return g.wants(it.Key) && g.shard.wants(it.Key) }

// jobFor returns the job of an entry, and creates the directory of its file.
func (g *getter) jobFor(it list.Item) (*job, error) {
	j := &job{source: source{bucket: it.Bucket, key: it.Key}, size: it.Size, etag: it.ETag, versionID: it.VersionID}
	if it.Checksum != "" {
		sum, err := digest.Parse(it.Checksum)
		if err != nil {
			return nil, fmt.Errorf("the checksum %q: %w", it.Checksum, err)
		}
		j.options = append(j.options, func(o *processpool.DownloadOptions) { o.Expect = digests{sum} })
	}
	if it.File != "" {
		j.filename = it.File
		if isDirectory(it.File) {
			j.filename = filepath.Join(it.File, filepath.Base(filepath.FromSlash(it.Key)))
		}
		if !filepath.IsAbs(j.filename) {
			j.filename = filepath.Join(g.dir, j.filename)
		}
		if g.dryRun {
			return j, nil
		}
		return j, os.MkdirAll(filepath.Dir(j.filename), 0o777)
	}
	p, err := keypath.Of(it.Key, runtime.GOOS == "windows")
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
func (g *getter) refuse(v view, it list.Item, err error) {
	g.reports.Lock()
	defer g.reports.Unlock()
	g.tally.failed++
	v.trouble(newProblem(source{bucket: it.Bucket, key: it.Key}, err))
}
