package main

import (
	"context"
	"fmt"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/origin"
	"github.com/s3processpool/processpool/bench/internal/report"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// scaleWorkers measures the cost of a worker, and transfermanager with the same number of
// goroutines.
func (b *bench) scaleWorkers(ctx context.Context, m measurement) error {
	return b.scale(ctx, m, func(t task.Task, pool, peer client.Client) []entry {
		var entries []entry
		for _, workers := range []int{1, 2, 4, 8, 16, 32, 64} {
			t.Workers = workers
			entries = append(entries,
				entry{label: "processpool, " + plural(workers, "worker"), client: pool, task: t},
				entry{label: "transfermanager, " + plural(workers, "goroutine"), client: peer, task: t})
		}
		return entries
	})
}

// scaleRequests compares processes with requests within one process.
func (b *bench) scaleRequests(ctx context.Context, m measurement) error {
	return b.scale(ctx, m, func(t task.Task, pool, _ client.Client) []entry {
		var entries []entry
		for _, n := range []struct{ workers, requests int }{
			{8, 1}, {4, 2}, {2, 4}, {1, 8},
			{10, 1}, {10, 2}, {10, 4}, {10, 8},
		} {
			t.Workers, t.Requests = n.workers, n.requests
			entries = append(entries, entry{label: fmt.Sprintf("processpool, %s × %d", plural(n.workers, "worker"), n.requests), client: pool, task: t})
		}
		return entries
	})
}

// scale measures the download of one object with different settings of the clients.
func (b *bench) scale(ctx context.Context, m measurement, entries func(t task.Task, pool, peer client.Client) []entry) error {
	size := b.sized(m.size)
	end, err := b.random(ctx, size, origin.Options{})
	if err != nil {
		return err
	}
	defer end()
	pool, peer, err := b.pair()
	if err != nil {
		return err
	}
	all, err := b.alternate(ctx, entries(b.task("object", size, 0), pool, peer))
	if err != nil {
		return err
	}
	b.note("1 object of %s, ranges of %s, not verified", task.Bytes(size), task.Bytes(chunk))
	return b.write(m, curve(summarize(all)))
}

// pair returns this library and the client it is compared with.
func (b *bench) pair() (pool, peer client.Client, err error) {
	libraries, err := b.kit.Libraries()
	if err != nil {
		return pool, peer, err
	}
	return b.kit.Subject().With("processpool", "-verify", "off"), libraries[1], nil
}

// sizes returns the object sizes of scaleSizes.
func (b *bench) sizes() []int64 {
	if b.size > 0 {
		return []int64{int64(b.size)}
	}
	return []int64{64 << 10, 1 << 20, 8 << 20, 64 << 20, 256 << 20, 1 << 30, 4 << 30, 16 << 30}
}

// scaleSizes measures the cost of an object and of a byte. The objects are sparse files, so only
// the downloads take space. Sizes for which there is not enough space are left out.
func (b *bench) scaleSizes(ctx context.Context, m measurement) error {
	var entries []entry
	var served []int64
	if err := b.stock(func(s *origin.Site) error {
		for _, size := range b.sizes() {
			if err := b.room(size + size/16); err != nil {
				b.note("%s is left out: %v", task.Bytes(size), err)
				continue
			}
			if _, err := s.Sparse(fmt.Sprint(size), size); err != nil {
				return err
			}
			served = append(served, size)
		}
		return nil
	}); err != nil {
		return err
	}
	end, err := b.serve(ctx, origin.Options{})
	if err != nil {
		return err
	}
	defer end()
	pool, peer, err := b.pair()
	if err != nil {
		return err
	}
	for _, size := range served {
		t := b.task(fmt.Sprint(size), size, 0)
		for _, c := range []client.Client{b.kit.Floor(), pool, peer} {
			entries = append(entries, entry{label: fmt.Sprintf("%s, %s", c.Name, task.Bytes(size)), client: c, task: t})
		}
	}
	all, err := b.alternate(ctx, entries)
	if err != nil {
		return err
	}
	b.note("%s, ranges of %s, not verified", plural(b.workers, "worker or connection"), task.Bytes(chunk))
	return b.write(m, curve(summarize(all)))
}

// curve returns the report of a case that varies one parameter.
func curve(list []figures) report.Report {
	r := report.Report{
		Data: list,
		Columns: []string{"client", "wall s min", "median", "GiB/s", "cpu s min", "median", "cpu s/GiB", "switches",
			"parent PSS MiB", "worker PSS MiB", "all PSS MiB"},
	}
	for _, f := range list {
		r.Table = append(r.Table, []string{
			f.Client, fmt.Sprintf("%.3f", f.Wall.Min), fmt.Sprintf("%.3f", f.Wall.Median), fmt.Sprintf("%.2f", gib(f.Bytes)/f.Wall.Median),
			fmt.Sprintf("%.3f", f.CPU.Min), fmt.Sprintf("%.3f", f.CPU.Median), report.Number(f.CPUPerGiB.Median),
			fmt.Sprintf("%.0f", f.Switches.Median), mib(f.Memory.Parent), perWorker(f), mib(f.Memory.Total),
		})
	}
	r.Chart = chart(list)
	return r
}
