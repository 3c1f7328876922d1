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
	// stallAfter is the number of bytes of each range that the origin sends: enough to have every
	// buffer in use.
	stallAfter = 4 << 20
	// memoryFor is how long the memory is sampled.
	memoryFor = 5 * time.Second
)

// footprint is a row in the table of the case memory.
type footprint struct {
	Client   string         `json:"client"`
	TLS      bool           `json:"tls"`
	Workers  int            `json:"workers"`
	Requests int            `json:"requests_per_process"`
	Size     int64          `json:"object_bytes"`
	Memory   measure.Memory `json:"pss_bytes"`
}

// memory measures the memory of a client during a download that never ends: the origin serves an
// object of 5 TiB, and stops sending within each range.
func (b *bench) memory(ctx context.Context, m measurement) error {
	var list []footprint
	for _, secure := range []bool{false, true} {
		more, err := b.footprints(ctx, m, secure)
		if err != nil {
			return err
		}
		list = append(list, more...)
	}
	b.note("proportional set size at the moment when the sum over all processes is largest, within %v; %s of each range have arrived", memoryFor, task.Bytes(stallAfter))
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

func (b *bench) footprints(ctx context.Context, m measurement, secure bool) ([]footprint, error) {
	size := b.sized(m.size)
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
			return nil, fmt.Errorf("got %s besides the parent, want %s", plural(f.Memory.Children, "process"), plural(t.Workers, "worker"))
		}
		list = append(list, f)
	}
	return list, nil
}

// footprint runs a download to a file system without a size limit, and returns its memory.
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
		err = fmt.Errorf("mounting a ramfs is not permitted (run bench as root): %w", err)
	}
	return u.Memory, err
}
