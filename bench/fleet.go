package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/origin"
	"github.com/s3processpool/processpool/bench/internal/report"
	"github.com/s3processpool/processpool/bench/internal/task"
)

const (
	fleetRate      = 2_000_000 // limit of each connection in the case fleet, in bytes per second
	fleetProcesses = 4         // of each worker in the case fleet, which is the default of s3fleet
	perMessage     = 100       // small objects that s3fleet puts into a message
)

// fleet shows whether several workers of s3fleet download as much more as they have connections.
func (b *bench) fleet(ctx context.Context, m measurement) error {
	t, end, err := b.listed(ctx, m, origin.Options{Rate: fleetRate})
	if err != nil {
		return err
	}
	defer end()
	t.Workers = fleetProcesses
	var entries []entry
	counts := []int{1, 2, 4}
	for _, n := range counts {
		c := b.kit.Fleet("s3fleet run, "+plural(n, "worker"), n, "")
		entries = append(entries, entry{label: c.Name, client: c, task: t})
	}
	all, err := b.alternate(ctx, entries)
	if err != nil {
		return err
	}
	list := summarize(all)
	r := report.Report{Data: list, Chart: wallChart(list)}
	r.Columns, r.Table = perObject(list)
	r.Columns = append(r.Columns, "of ideal")
	for i, f := range list {
		r.Table[i] = append(r.Table[i], fmt.Sprintf("%.2f", list[0].Wall.Median/float64(counts[i])/f.Wall.Median))
	}
	b.note("each worker has %s of one request; of ideal is the wall time of one worker, divided by the number of workers and by the wall time", plural(fleetProcesses, "process"))
	b.note("%s; %s after a warm-up round", whole, plural(b.runs, "round"))
	return b.write(m, r)
}

const whole = "s3fleet is the whole command: it starts a server, lists the prefix, starts the workers, and ends them; its peak PSS is without the workers, which have process groups of their own"

// messages shows what the queue of s3fleet costs.
func (b *bench) messages(ctx context.Context, m measurement) error {
	t, end, err := b.listed(ctx, m, origin.Options{})
	if err != nil {
		return err
	}
	defer end()
	single := filepath.Join(b.dir, "single.jsonl")
	if err := writeSingle(single, t); err != nil {
		return err
	}
	batches := (t.Count + perMessage - 1) / perMessage
	s := b.kit.Subject().With("", "-all", "-durable")
	// With Resume, as s3fleet downloads an object of unknown size.
	rows := []struct {
		client   client.Client
		messages int
	}{
		{s.With("DownloadAll, Durable, size known", "-known"), 0},
		{b.kit.Fleet("s3fleet run, 1 worker", 1, ""), batches},
		{s.With("DownloadAll, Durable"), 0},
		{s.With("DownloadAll, Durable, Resume", "-resume"), 0},
		{b.kit.Fleet("s3fleet run, 1 worker, a message for each object", 1, single), t.Count},
	}
	var entries []entry
	for _, row := range rows {
		entries = append(entries, entry{label: row.client.Name, client: row.client, task: t})
	}
	all, err := b.alternate(ctx, entries)
	if err != nil {
		return err
	}
	list := summarize(all)
	r := report.Report{Data: list, Chart: objectChart(list)}
	r.Columns, r.Table = perObject(list)
	r.Columns = append(r.Columns, "messages", "messages/s", "cpu : row above")
	for i, f := range list {
		if n := rows[i].messages; n > 0 {
			r.Table[i] = append(r.Table[i], fmt.Sprint(n), fmt.Sprintf("%.0f", float64(n)/f.Wall.Median), fmt.Sprintf("%.2f", f.CPU.Over(list[i-1].CPU)))
		} else {
			r.Table[i] = append(r.Table[i], "", "", "")
		}
	}
	b.note("%s in each row; up to %d small objects of known size have one message, and one of unknown size has its own, and a HeadObject", plural(t.Workers, "process"), perMessage)
	b.note("%s; %s after a warm-up round", whole, plural(b.runs, "round"))
	return b.write(m, r)
}

// writeSingle writes a list of the objects without their sizes: s3fleet makes a message of each.
func writeSingle(name string, t task.Task) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := json.NewEncoder(f)
	for _, o := range t.Objects() {
		entry := map[string]string{"bucket": t.Bucket, "key": o.Key, "file": filepath.Base(o.File)}
		if err := lines.Encode(entry); err != nil {
			return err
		}
	}
	return f.Close()
}
