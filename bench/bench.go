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

// bench is the state of one case while it is measured.
type bench struct {
	options
	kit *client.Kit
	dir string
	on  string // folder of the downloads; "": one in dir

	site    *origin.Site
	origin  *origin.Origin
	machine report.Machine
	notes   []string
}

// chunk is the size of a range, in every client that has an option for it.
const chunk = 8 << 20

// stock creates the objects of the case.
func (b *bench) stock(fill func(*origin.Site) error) error {
	site, err := origin.NewSite(filepath.Join(b.dir, "site"))
	if err != nil {
		return err
	}
	b.site = site
	b.machine = report.ThisMachine()
	return fill(site)
}

// serve starts the origin of the case. The returned function stops the origin and removes the
// objects.
func (b *bench) serve(ctx context.Context, o origin.Options) (end func(), err error) {
	o.Server, o.Binary = b.server, b.kit.Own("origin")
	if b.origin, err = origin.Start(ctx, b.site, filepath.Join(b.dir, "origin"), o); err != nil {
		return nil, err
	}
	what := "objects and downloads"
	if b.on != "" {
		what = "objects"
	}
	b.note("origin: %s, with %s in %s", b.origin.Name, what, fileSystem(b.dir))
	return func() {
		if err := b.origin.Stop(); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "origin:", err)
		}
		os.RemoveAll(b.site.Dir)
		os.RemoveAll(filepath.Join(b.dir, "origin"))
	}, nil
}

// task returns the download of one object if count is 0, or else of count objects, with the case's
// number of workers.
func (b *bench) task(key string, size int64, count int) task.Task {
	return task.Task{
		URL: b.origin.URL, CA: b.origin.CA, Bucket: origin.Bucket,
		Key: key, File: filepath.Join(b.downloads(), key), Count: count, Size: size,
		Workers: b.workers, Requests: 1, Chunk: chunk,
	}
}

func (b *bench) downloads() string {
	if b.on != "" {
		return b.on
	}
	return filepath.Join(b.dir, "downloads")
}

// sized returns the value of -size, or size if the flag was not given.
func (b *bench) sized(size int64) int64 {
	if b.size > 0 {
		return int64(b.size)
	}
	return size
}

// counted returns the value of -count, or count if the flag was not given.
func (b *bench) counted(count int) int {
	if b.options.count > 0 {
		return b.options.count
	}
	return count
}

// note adds a line to the report, unless the report already has it.
func (b *bench) note(format string, args ...any) {
	if line := fmt.Sprintf(format, args...); !slices.Contains(b.notes, line) {
		b.notes = append(b.notes, line)
	}
}

// title returns the title of a case with the sizes and numbers that are measured.
func (b *bench) title(m measurement) string {
	sizes := b.sizes()
	span := task.Bytes(sizes[0]).String()
	if last := sizes[len(sizes)-1]; last != sizes[0] {
		span += " to " + task.Bytes(last).String()
	}
	return strings.NewReplacer(
		"{size}", task.Bytes(b.sized(m.size)).String(),
		"{sizes}", span,
		"{objects}", plural(b.counted(m.count), "object"),
	).Replace(m.title)
}

// write prints the report of a case, and writes it to the folder of the reports, if there is one.
func (b *bench) write(m measurement, r report.Report) error {
	r.Case, r.Title = m.name, b.title(m)
	r.Date = time.Now().UTC().Format(time.DateOnly)
	r.Machine, r.Notes = b.machine, b.notes
	fmt.Println(strings.TrimSpace(r.Markdown()))
	if b.results == "" {
		return nil
	}
	return r.Write(b.results)
}
