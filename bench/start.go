package main

import (
	"context"
	"fmt"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/measure"
	"github.com/s3processpool/processpool/bench/internal/origin"
	"github.com/s3processpool/processpool/bench/internal/report"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// start measures the time from the start of a program until it has its first object, and the cost
// of starting all workers.
func (b *bench) start(ctx context.Context, m measurement) error {
	size := b.sized(m.size)
	end, err := b.random(ctx, size, origin.Options{})
	if err != nil {
		return err
	}
	defer end()
	sdk, err := b.kit.SDKGet()
	if err != nil {
		return err
	}
	entries := []entry{{label: sdk.Name, client: sdk, task: b.task("object", size, 0)}}
	// With -linger all workers start, also those that the object did not need.
	pool := b.kit.Subject().With("processpool", "-linger", "1s")
	for _, workers := range []int{1, b.workers} {
		t := b.task("object", size, 0)
		t.Workers = workers
		entries = append(entries, entry{label: "processpool, " + plural(workers, "worker"), client: pool, task: t})
	}
	if python, err := b.kit.S3Transfer(); err == nil {
		python = python.With(python.Name, "-linger", "1")
		entries = append(entries, entry{label: python.Name + ", " + plural(b.workers, "worker"), client: python, task: b.task("object", size, 0)})
	} else {
		b.note("%s is left out: %v", python.Name, err)
	}
	all, err := b.alternate(ctx, entries)
	if err != nil {
		return err
	}
	list := summarize(all)
	for i, s := range all {
		calls, err := b.traced(ctx, s.entry)
		if err != nil {
			return fmt.Errorf("%s, traced: %w", s.label, err)
		}
		list[i].Calls = measure.Total(calls.First) + measure.Total(calls.Others)
	}
	single := list[1].CPU.Median
	b.note("processor time is that of the whole life of the program: one object of %s, the start of all workers, and the end", task.Bytes(size))
	further := float64(max(b.workers-1, 1))
	b.note("each additional worker costs %.1f ms of processor time and %.0f page faults (%s compared with one)",
		1e3*(list[2].CPU.Median-single)/further, (list[2].Faults.Median-list[1].Faults.Median)/further, plural(b.workers, "worker"))
	if calls := list[2].Calls - list[1].Calls; calls > 0 {
		b.note("each additional worker costs %.0f system calls", float64(calls)/further)
	}
	return b.write(m, startReport(list, size))
}

func startReport(list []figures, size int64) report.Report {
	r := report.Report{
		Data:    list,
		Columns: []string{"client", "first object ms min", "median", "cpu ms min", "median", "cpu ms per worker", "switches", "page faults", "system calls"},
		Chart:   report.Chart{Title: "From the start of the program to its first object of " + task.Bytes(size).String(), Unit: "milliseconds"},
	}
	for _, f := range list {
		r.Table = append(r.Table, []string{
			name(f), ms(f.First.Min), ms(f.First.Median), ms(f.CPU.Min), ms(f.CPU.Median),
			ms(f.CPU.Median / float64(f.workers())), fmt.Sprintf("%.0f", f.Switches.Median),
			fmt.Sprintf("%.0f", f.Faults.Median), counted(f.Calls),
		})
		r.Chart.Bars = append(r.Chart.Bars, report.Bar{
			Label: f.Client, Value: report.Stat{Min: f.First.Min * 1e3, Median: f.First.Median * 1e3},
			Remark: "ms, cpu " + ms(f.CPU.Median) + " ms", Accent: f.Kind == client.Subject,
		})
	}
	return r
}

// counted returns n, or "" if nothing was counted.
func counted(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// workers returns the number of workers by which startReport divides the processor time.
func (f figures) workers() int {
	if f.Kind == client.Library || f.Client == "aws-sdk-go-v2 GetObject" {
		return 1
	}
	return f.Workers
}

func ms(seconds float64) string { return fmt.Sprintf("%.1f", seconds*1e3) }
