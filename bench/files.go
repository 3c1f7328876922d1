package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/origin"
	"github.com/s3processpool/processpool/bench/internal/report"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// below is the prefix of the objects in the cases files and many.
const below = "files/"

// tool compares whole commands that download one object.
func (b *bench) tool(ctx context.Context, m measurement) error {
	return b.one(ctx, m, origin.Options{}, func(b *bench) ([]client.Client, error) {
		return b.commands(b.task("object", 0, 0)), nil
	})
}

// files compares whole commands that download all that is below a prefix.
func (b *bench) files(ctx context.Context, m measurement) error {
	return b.below(ctx, m, func(b *bench, t task.Task) ([]client.Client, error) { return b.commands(t), nil })
}

// many compares what an object costs that hardly has content.
func (b *bench) many(ctx context.Context, m measurement) error { return b.below(ctx, m, manyClients) }

// below compares clients that download small objects, which the module's own origin lists.
func (b *bench) below(ctx context.Context, m measurement, pick func(*bench, task.Task) ([]client.Client, error)) error {
	t, end, err := b.listed(ctx, m, origin.Options{})
	if err != nil {
		return err
	}
	defer end()
	clients, err := pick(b, t)
	if err != nil {
		return err
	}
	all, err := b.alternate(ctx, b.entries(clients, t))
	if err != nil {
		return err
	}
	b.note("%s of %s, %s unless the row says otherwise or gives the defaults of a tool; %s after a warm-up round",
		plural(t.Count, "object"), task.Bytes(t.Size), plural(t.Workers, "worker or connection"), plural(b.runs, "round"))
	list := summarize(all)
	r := report.Report{Data: list, Chart: objectChart(list)}
	r.Columns, r.Table = perObject(list)
	return b.write(m, r)
}

// listed starts the module's own origin, which lists, with the objects of a case below a prefix. It
// returns the task that downloads them.
func (b *bench) listed(ctx context.Context, m measurement, o origin.Options) (t task.Task, end func(), err error) {
	size, count := b.sized(m.size), b.counted(m.count)
	if err := b.numbered(below+"object", size, count); err != nil {
		return t, nil, err
	}
	b.server = "go" // nginx does not list
	if end, err = b.serve(ctx, o); err != nil {
		return t, nil, err
	}
	t = b.task(below+"object", size, count)
	t.File = filepath.Join(b.downloads(), "object")
	return t, end, nil
}

// commands returns the tools, and notes which are missing.
func (b *bench) commands(t task.Task) []client.Client {
	all, missing := b.kit.Commands(t, b.only.MatchString)
	if len(missing) > 0 {
		b.note("not installed: %s", strings.Join(missing, ", "))
	}
	return all
}

// manyClients returns this library's DownloadAll, the Go libraries with a goroutine for each
// connection, and the tools.
func manyClients(b *bench, t task.Task) ([]client.Client, error) {
	s := b.kit.Subject()
	libraries, err := b.kit.Libraries()
	if err != nil {
		return nil, err
	}
	get, err := b.kit.SDKGet()
	if err != nil {
		return nil, err
	}
	all := []client.Client{
		s.With("processpool", "-all"),
		s.With("processpool, SkipHead", "-all", "-skip-head"),
		s.With("processpool, SkipHead, 2 workers of 5", "-all", "-skip-head", "-workers", "2", "-requests", "5"),
		libraries[1], get,
	}
	for _, c := range b.commands(t) {
		if manyCommands.MatchString(c.Name) {
			all = append(all, c)
		}
	}
	return all, nil
}

// manyCommands matches the tools of the case many. The others take minutes for so many objects, or
// differ from these in little.
var manyCommands = regexp.MustCompile(`^(s5cmd cp, \d+ workers|rclone copy, (\d|[1-5]\d) transfers)$`)

// perObject returns the table of the cases with small objects.
func perObject(list []figures) (columns []string, rows [][]string) {
	columns = []string{"client", "wall s min", "median", "objects/s", "user s", "sys s", "cpu ms/object min", "median",
		"switches", "peak PSS MiB", "requests"}
	for _, f := range list {
		n := float64(f.Objects)
		rows = append(rows, []string{
			name(f),
			fmt.Sprintf("%.2f", f.Wall.Min), fmt.Sprintf("%.2f", f.Wall.Median), fmt.Sprintf("%.0f", n/f.Wall.Median),
			fmt.Sprintf("%.2f", f.User.Median), fmt.Sprintf("%.2f", f.Sys.Median),
			fmt.Sprintf("%.3f", f.CPU.Min/n*1000), fmt.Sprintf("%.3f", f.CPU.Median/n*1000),
			fmt.Sprintf("%.0f", f.Switches.Median), mib(f.Memory.Total), fmt.Sprint(f.Asked),
		})
	}
	return columns, rows
}

// objectChart shows the objects a second by client.
func objectChart(list []figures) report.Chart {
	c := wallChart(list)
	for i, f := range list {
		n := float64(f.Objects)
		c.Bars[i].Remark = fmt.Sprintf("s, %.0f objects/s, cpu %s ms/object", n/f.Wall.Median, report.Number(f.CPU.Median/n*1000))
	}
	return c
}
