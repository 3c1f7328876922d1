package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/measure"
	"github.com/s3processpool/processpool/bench/internal/origin"
	"github.com/s3processpool/processpool/bench/internal/report"
	"github.com/s3processpool/processpool/bench/internal/task"
)

const (
	// stallAfter is what of each range comes: enough for every buffer to be in use.
	stallAfter = 4 << 20
	// memoryFor is how long the download is watched.
	memoryFor = 5 * time.Second
)

// footprint is a line of memory's table.
type footprint struct {
	Client   string         `json:"client"`
	TLS      bool           `json:"tls"`
	Workers  int            `json:"workers"`
	Requests int            `json:"requests_per_process"`
	Size     int64          `json:"object_bytes"`
	Memory   measure.Memory `json:"pss_bytes"`
}

// memory looks at processes that have a download under way which never ends: an origin
// answers for an object of 5 TiB, and stops within each range.
func (b *bench) memory(ctx context.Context, m measurement) error {
	var list []footprint
	for _, secure := range []bool{false, true} {
		more, err := b.footprints(ctx, secure)
		if err != nil {
			return err
		}
		list = append(list, more...)
	}
	b.note("proportional set size at the moment when that of all processes together is largest, in %v; %d MiB of each range have come", memoryFor, stallAfter>>20)
	r := report.Report{
		Data:    list,
		Columns: []string{"client", "workers", "requests of each", "object", "parent MiB", "worker mean MiB", "worker max MiB", "all MiB"},
		Chart:   report.Chart{Title: "Memory of one worker", Unit: "MiB of proportional set size"},
	}
	for _, f := range list {
		r.Table = append(r.Table, []string{f.Client, fmt.Sprint(f.Workers), fmt.Sprint(f.Requests), task.Bytes(f.Size).String(),
			mib(f.Memory.Parent), mib(f.Memory.ChildMean), mib(f.Memory.ChildMax), mib(f.Memory.Total)})
		mean := float64(f.Memory.ChildMean) / (1 << 20)
		r.Chart.Bars = append(r.Chart.Bars, report.Bar{
			Label: fmt.Sprintf("%s, %d × %d", f.Client, f.Workers, f.Requests), Value: report.Stat{Min: mean, Median: mean},
			Remark: "MiB, parent " + mib(f.Memory.Parent), Accent: true,
		})
	}
	return b.write(m, r)
}

func (b *bench) footprints(ctx context.Context, secure bool) ([]footprint, error) {
	size := b.sized(5 << 40)
	if err := b.stock(func(s *origin.Site) error {
		s.Virtual("object", size)
		return nil
	}); err != nil {
		return nil, err
	}
	end, err := b.serve(ctx, origin.Options{TLS: secure, Stall: stallAfter})
	if err != nil {
		return nil, err
	}
	defer end()
	var list []footprint
	for _, requests := range []int{1, 4} {
		t := b.task("object", size, 0)
		t.Requests = requests
		c := b.kit.Subject().With("processpool", "-verify", "off")
		f := footprint{Client: "processpool, HTTP", TLS: secure, Workers: t.Workers, Requests: requests, Size: size}
		if secure {
			f.Client = "processpool, TLS"
		}
		if f.Memory, err = b.footprint(ctx, c, t); err != nil {
			return nil, err
		}
		if f.Memory.Children != t.Workers {
			return nil, fmt.Errorf("saw %d processes beside the parent, not %d workers", f.Memory.Children, t.Workers)
		}
		list = append(list, f)
	}
	return list, nil
}

// footprint runs a download into a file system that has room for any size.
func (b *bench) footprint(ctx context.Context, c client.Client, t task.Task) (measure.Memory, error) {
	if err := os.MkdirAll(b.downloads(), 0o755); err != nil {
		return measure.Memory{}, err
	}
	defer os.RemoveAll(b.downloads())
	command, err := b.kit.Command(c, t)
	if err != nil {
		return measure.Memory{}, err
	}
	command.For, command.Memory, command.Timeout, command.Attr = memoryFor, true, b.timeout, ramfs()
	self, err := os.Executable()
	if err != nil {
		return measure.Memory{}, err
	}
	command.Args = append([]string{self, ramfsMark, b.downloads()}, command.Args...)
	u, err := measure.Run(ctx, command)
	if errors.Is(err, syscall.EPERM) {
		err = fmt.Errorf("a mount of its own is refused here: run it as root: %w", err)
	}
	return u.Memory, err
}
