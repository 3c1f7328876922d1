package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/origin"
	"github.com/s3processpool/processpool/bench/internal/report"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// bench is one case while it is measured.
type bench struct {
	options
	kit *client.Kit
	dir string

	site    *origin.Site
	origin  *origin.Origin
	machine report.Machine
	notes   []string
}

// chunk is the size of a range, in every client that lets one choose.
const chunk = 8 << 20

// stock makes the case's objects.
func (b *bench) stock(fill func(*origin.Site) error) error {
	site, err := origin.NewSite(filepath.Join(b.dir, "site"))
	if err != nil {
		return err
	}
	b.site = site
	b.machine = report.ThisMachine()
	return fill(site)
}

// serve starts the case's origin. The function it returns ends the origin and takes
// the objects away.
func (b *bench) serve(ctx context.Context, o origin.Options) (end func(), err error) {
	o.Server, o.Binary = b.server, b.kit.Own("origin")
	if b.origin, err = origin.Start(ctx, b.site, filepath.Join(b.dir, "origin"), o); err != nil {
		return nil, err
	}
	b.note("origin: %s, with objects and downloads in %s", b.origin.Name, fileSystem(b.dir))
	return func() {
		if err := b.origin.Stop(); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "origin:", err)
		}
		os.RemoveAll(b.site.Dir)
		os.RemoveAll(filepath.Join(b.dir, "origin"))
	}, nil
}

// task is a download of one object, or of count of them, with the case's number of
// workers.
func (b *bench) task(key string, size int64, count int) task.Task {
	return task.Task{
		URL: b.origin.URL, CA: b.origin.CA, Bucket: origin.Bucket,
		Key: key, File: filepath.Join(b.downloads(), key), Count: count, Size: size,
		Workers: b.workers, Requests: 1, Chunk: chunk,
	}
}

func (b *bench) downloads() string { return filepath.Join(b.dir, "downloads") }

// sized is the object size the user wants, or the case's.
func (b *bench) sized(size int64) int64 {
	if b.size > 0 {
		return int64(b.size)
	}
	return size
}

// counted likewise.
func (b *bench) counted(count int) int {
	if b.options.count > 0 {
		return b.options.count
	}
	return count
}

// note adds a line to the report, once.
func (b *bench) note(format string, args ...any) {
	if line := fmt.Sprintf(format, args...); !slices.Contains(b.notes, line) {
		b.notes = append(b.notes, line)
	}
}

// write writes the case's report and shows it.
func (b *bench) write(m measurement, r report.Report) error {
	r.Case, r.Title = m.name, m.title
	if b.size > 0 {
		r.Title += fmt.Sprintf(" (with objects of %v instead)", b.size)
	}
	if b.options.count > 0 {
		r.Title += fmt.Sprintf(" (with %d objects or requests instead)", b.options.count)
	}
	r.Date = time.Now().UTC().Format(time.DateOnly)
	r.Machine, r.Notes = b.machine, b.notes
	fmt.Println(strings.TrimSpace(r.Markdown()))
	return r.Write(b.results)
}
