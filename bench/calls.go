package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/measure"
	"github.com/s3processpool/processpool/bench/internal/origin"
	"github.com/s3processpool/processpool/bench/internal/report"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// traced counts the system calls of one run of an entry. There are none if strace is not installed, which
// it notes.
func (b *bench) traced(ctx context.Context, e entry) (measure.Calls, error) {
	command, err := b.prepare(e)
	if err != nil {
		return measure.Calls{}, err
	}
	defer os.RemoveAll(b.downloads())
	command.Timeout = b.timeout
	calls, err := measure.Trace(ctx, command)
	if errors.Is(err, exec.ErrNotFound) {
		b.note("system calls are not counted: strace is not installed")
		return calls, nil
	}
	if err == nil {
		err = sizesAgree(e.task)
	}
	return calls, err
}

// objectCalls holds what an object costs a client: the difference between a run with all and one with
// half of the objects, by the number of objects between them.
type objectCalls struct {
	Client      string             `json:"client"`
	Application map[string]float64 `json:"application"`
	Workers     map[string]float64 `json:"workers"`
	Faults      float64            `json:"page_faults"`
}

// calls counts the system calls and page faults that a small object costs.
func (b *bench) calls(ctx context.Context, m measurement) error {
	if _, err := exec.LookPath("strace"); err != nil {
		return fmt.Errorf("the case calls needs strace: %w", err)
	}
	t, end, err := b.listed(ctx, m, origin.Options{})
	if err != nil {
		return err
	}
	defer end()
	libraries, err := b.kit.Libraries()
	if err != nil {
		return err
	}
	get, err := b.kit.SDKGet()
	if err != nil {
		return err
	}
	s := b.kit.Subject()
	var list []objectCalls
	for _, e := range b.entries([]client.Client{
		s.With("processpool", "-all"), s.With("processpool, SkipHead", "-all", "-skip-head"), libraries[1], get,
	}, t) {
		c, err := b.objectCalls(ctx, e)
		if err != nil {
			return fmt.Errorf("%s: %w", e.label, err)
		}
		list = append(list, c)
	}
	b.note("%s of %s, %s; an object's share: one run with all objects, less one with half of them; by strace, and the page faults without it",
		plural(t.Count, "object"), task.Bytes(t.Size), plural(t.Workers, "worker or connection"))
	return b.write(m, callsReport(list))
}

// objectCalls measures what an object costs an entry.
func (b *bench) objectCalls(ctx context.Context, e entry) (objectCalls, error) {
	var traces [2]measure.Calls
	var faults [2]float64
	all := e.task.Count
	for i, n := range []int{all / 2, all} {
		e.task.Count = n
		calls, err := b.traced(ctx, e)
		if err != nil {
			return objectCalls{}, err
		}
		u, err := b.once(ctx, e, false, sizesAgree)
		if err != nil {
			return objectCalls{}, err
		}
		traces[i], faults[i] = calls, float64(u.Faults)
		b.say(fmt.Sprintf("%d objects", n), e, u)
	}
	between := float64(all - all/2)
	share := func(half, whole map[string]int) map[string]float64 {
		shares := map[string]float64{}
		for name, times := range whole {
			shares[name] = float64(times-half[name]) / between
		}
		return shares
	}
	return objectCalls{
		Client:      e.label,
		Application: share(traces[0].First, traces[1].First),
		Workers:     share(traces[0].Others, traces[1].Others),
		Faults:      (faults[1] - faults[0]) / between,
	}, nil
}

func callsReport(list []objectCalls) report.Report {
	r := report.Report{
		Data:    list,
		Columns: []string{"client", "application's calls", "workers' calls", "page faults", "application's most frequent", "workers' most frequent"},
		Chart:   report.Chart{Title: "System calls of a small object", Unit: "calls"},
	}
	for _, c := range list {
		application, workers := measure.Total(c.Application), measure.Total(c.Workers)
		row := []string{c.Client, "", "", fmt.Sprintf("%.1f", c.Faults), frequent(c.Application), frequent(c.Workers)}
		r.Table = append(r.Table, row)
		if application == 0 { // they were not counted
			continue
		}
		row[1], row[2] = fmt.Sprintf("%.1f", application), fmt.Sprintf("%.1f", workers)
		r.Chart.Bars = append(r.Chart.Bars, report.Bar{
			Label: c.Client, Value: report.Stat{Min: application + workers, Median: application + workers},
			Remark: fmt.Sprintf("calls, of them %.0f in the application", application), Accent: workers > 0,
		})
	}
	return r
}

// frequent lists the calls that are made at least once for two objects, the most frequent first.
func frequent(shares map[string]float64) string {
	names := slices.SortedFunc(maps.Keys(shares), func(a, b string) int {
		return cmp.Or(cmp.Compare(shares[b], shares[a]), cmp.Compare(a, b))
	})
	var words []string
	for _, name := range names {
		if shares[name] >= 0.5 {
			words = append(words, fmt.Sprintf("%s %.1f", name, shares[name]))
		}
	}
	return strings.Join(words, ", ")
}
