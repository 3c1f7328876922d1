package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/origin"
	"github.com/s3processpool/processpool/bench/internal/report"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// guest is a way of downloading, and its runs.
type guest struct {
	Label string        `json:"client"`
	Runs  []task.Served `json:"runs"`
	entry entry
	kind  client.Kind
}

// originNice is the niceness of the origin beside a service: what is measured is the download, and an
// origin is on another machine.
const originNice = 19

// neighbour measures what a service in the same program, or on the same machine, notices of a
// download. rate is the limit of each connection, in bytes per second, so that all clients have the
// same throughput.
func neighbour(rate int64) func(*bench, context.Context, measurement) error {
	return func(b *bench, ctx context.Context, m measurement) error { return b.neighbour(ctx, m, rate) }
}

func (b *bench) neighbour(ctx context.Context, m measurement, rate int64) error {
	size := b.sized(m.size)
	if err := b.room(size); err != nil {
		return err
	}
	if err := b.stock(func(s *origin.Site) error {
		_, err := s.Sparse("object", size)
		return err
	}); err != nil {
		return err
	}
	end, err := b.serve(ctx, origin.Options{Rate: rate, Nice: originNice})
	if err != nil {
		return err
	}
	defer end()
	c := b.kit.Neighbour()
	var guests []*guest
	for _, heap := range []int64{0, 1 << 30} {
		for _, g := range []struct {
			label string
			kind  client.Kind
			args  []string
		}{
			{"no download", client.Floor, []string{"-by", "none"}},
			{"manager, 1 MiB buffers, in the service", client.Library, []string{"-by", "manager"}},
			{"transfermanager, in the service", client.Library, []string{"-by", "transfermanager"}},
			{"processpool", client.Subject, []string{"-by", "processpool"}},
			{"processpool, Nice 10", client.Subject, []string{"-by", "processpool", "-nice", "10"}},
			{"processpool, Nice 19", client.Subject, []string{"-by", "processpool", "-nice", "19"}},
			{"processpool, Nice 19, Start beforehand", client.Subject, []string{"-by", "processpool", "-nice", "19", "-early"}},
		} {
			label := g.label + ", small heap"
			if heap > 0 {
				label = g.label + ", 1 GiB of pointers"
			}
			if !b.only.MatchString(label) {
				continue
			}
			args := append([]string{"-heap", fmt.Sprint(heap)}, g.args...)
			e := entry{label: label, client: c.With(label, args...), task: b.task("object", size, 0), bytes: 1}
			guests = append(guests, &guest{Label: label, entry: e, kind: g.kind})
		}
	}
	order := rand.New(rand.NewPCG(1, 1))
	for round := range b.runs {
		for _, i := range order.Perm(len(guests)) {
			g := guests[i]
			u, err := b.once(ctx, g.entry, false, nil)
			if err != nil {
				return fmt.Errorf("%s: %w", g.Label, err)
			}
			run, err := task.ParseServed(u.Said)
			if err != nil {
				return fmt.Errorf("%s: %w", g.Label, err)
			}
			run.AllCPU = u.CPU().Seconds()
			g.Runs = append(g.Runs, run)
			b.say(fmt.Sprintf("round %d of %d", round+1, b.runs), g.entry, u)
		}
	}
	b.note("%d requests a second, each of which hashes 64 KiB of garbage and follows 64 pointers; latency counts from when a request was due", 1000)
	b.note("each connection is limited to %d MB/s, so that the throughput is the same for all; %s", rate/1_000_000, plural(b.workers, "connection"))
	b.note("nginx has niceness %d, for it stands for another machine", originNice)
	return b.write(m, neighbourReport(guests))
}

func neighbourReport(guests []*guest) report.Report {
	r := report.Report{
		Data:    guests,
		Columns: []string{"who downloads", "p50 ms", "p99 ms", "p99.9 ms min", "median", "max ms", "GC cycles", "service cpu s", "all cpu s", "seconds"},
		Chart:   report.Chart{Title: "Latency of the service's requests, 99.9th percentile", Unit: "milliseconds"},
	}
	for _, g := range guests {
		of := func(figure func(task.Served) float64) report.Stat {
			var all []float64
			for _, s := range g.Runs {
				all = append(all, figure(s))
			}
			return report.Of(all)
		}
		p999 := of(func(s task.Served) float64 { return s.P999 })
		row := []string{g.Label}
		for _, x := range []float64{
			of(func(s task.Served) float64 { return s.P50 }).Median, of(func(s task.Served) float64 { return s.P99 }).Median, p999.Min, p999.Median,
			of(func(s task.Served) float64 { return s.Max }).Median,
		} {
			row = append(row, fmt.Sprintf("%.2f", x))
		}
		row = append(row,
			fmt.Sprintf("%.0f", of(func(s task.Served) float64 { return float64(s.GC) }).Median),
			fmt.Sprintf("%.1f", of(func(s task.Served) float64 { return s.CPU }).Median),
			fmt.Sprintf("%.1f", of(func(s task.Served) float64 { return s.AllCPU }).Median),
			fmt.Sprintf("%.1f", of(func(s task.Served) float64 { return s.Seconds }).Median))
		r.Table = append(r.Table, row)
		r.Chart.Bars = append(r.Chart.Bars, report.Bar{Label: g.Label, Value: p999, Accent: g.kind == client.Subject,
			Remark: fmt.Sprintf("ms, p50 %s ms", row[1])})
	}
	return r
}
