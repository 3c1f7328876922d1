package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/measure"
	"github.com/s3processpool/processpool/bench/internal/report"
)

// figures holds one row of a table as it is written to JSON: seconds, bytes and counts.
type figures struct {
	Client    string          `json:"client"`
	Version   string          `json:"version,omitempty"`
	Kind      client.Kind     `json:"kind"`
	Workers   int             `json:"workers"`
	Requests  int             `json:"requests_per_process"`
	Bytes     int64           `json:"bytes"`
	Objects   int             `json:"objects"`
	Wall      report.Stat     `json:"wall_s"`
	First     *report.Stat    `json:"first_object_s,omitempty"`
	User      report.Stat     `json:"user_s"`
	Sys       report.Stat     `json:"sys_s"`
	CPU       report.Stat     `json:"cpu_s"`
	CPUPerGiB report.Stat     `json:"cpu_s_per_gib"`
	Switches  report.Stat     `json:"context_switches"`
	Faults    report.Stat     `json:"page_faults"`
	Calls     int             `json:"system_calls,omitempty"` // of one run; 0: not counted
	Memory    measure.Memory  `json:"pss_bytes"`
	Asked     int             `json:"http_requests,omitempty"`
	Runs      []measure.Usage `json:"runs_ns"`

	CPUToFloor *float64 `json:"cpu_to_floor,omitempty"`
	CPUToPeer  *float64 `json:"cpu_to_best_go_library,omitempty"`
	WallToPeer *float64 `json:"best_go_library_wall_to_wall,omitempty"`
}

// summarize computes the figures of each series, and the ratios between them.
func summarize(all []series) []figures {
	list := make([]figures, len(all))
	for i, s := range all {
		list[i] = s.figures()
	}
	floor, peer := landmarks(list)
	for i := range list {
		f := &list[i]
		if floor != nil {
			f.CPUToFloor = new(f.CPU.Over(floor.CPU))
		}
		if peer != nil {
			f.CPUToPeer = new(f.CPU.Over(peer.cpu))
			f.WallToPeer = new(peer.wall.Over(f.Wall))
		}
	}
	return list
}

func (s series) figures() figures {
	f := figures{
		Client: s.label, Version: s.client.Version, Kind: s.client.Kind,
		Workers: s.task.Workers, Requests: s.task.Requests,
		Bytes: s.task.Size * int64(max(s.task.Count, 1)), Objects: max(s.task.Count, 1),
		Memory: s.memory, Asked: s.requests, Runs: s.runs,
	}
	if s.bytes > 0 {
		f.Bytes = s.bytes
	}
	of := func(figure func(measure.Usage) float64) report.Stat {
		var all []float64
		for _, u := range s.runs {
			all = append(all, figure(u))
		}
		return report.Of(all)
	}
	f.Wall = of(func(u measure.Usage) float64 { return u.Wall.Seconds() })
	f.User = of(func(u measure.Usage) float64 { return u.User.Seconds() })
	f.Sys = of(func(u measure.Usage) float64 { return u.Sys.Seconds() })
	f.CPU = of(func(u measure.Usage) float64 { return u.CPU().Seconds() })
	f.CPUPerGiB = of(func(u measure.Usage) float64 { return u.CPU().Seconds() / gib(f.Bytes) })
	f.Switches = of(func(u measure.Usage) float64 { return float64(u.Voluntary + u.Involuntary) })
	f.Faults = of(func(u measure.Usage) float64 { return float64(u.Faults) })
	if s.runs[0].First > 0 {
		f.First = new(of(func(u measure.Usage) float64 { return u.First.Seconds() }))
	}
	return f
}

// best is the best Go library: the smallest median of each figure, even if they come from two
// libraries.
type best struct{ cpu, wall report.Stat }

// landmarks returns the floor and the best Go library, nil if there is none.
func landmarks(list []figures) (floor *figures, peer *best) {
	for i := range list {
		f := &list[i]
		switch {
		case f.Kind == client.Floor && floor == nil:
			floor = f
		case f.Kind == client.Library && peer == nil:
			peer = &best{f.CPU, f.Wall}
		case f.Kind == client.Library:
			if f.CPU.Median < peer.cpu.Median {
				peer.cpu = f.CPU
			}
			if f.Wall.Median < peer.wall.Median {
				peer.wall = f.Wall
			}
		}
	}
	return floor, peer
}

// throughput returns the table of the cases that compare clients.
func throughput(list []figures) (columns []string, rows [][]string) {
	columns = []string{"client", "wall s min", "median", "GiB/s", "user s", "sys s", "cpu s/GiB min", "median",
		"switches", "peak PSS MiB", "cpu : floor", "cpu : best Go library", "best Go library : wall"}
	for _, f := range list {
		rows = append(rows, []string{
			name(f),
			fmt.Sprintf("%.2f", f.Wall.Min), fmt.Sprintf("%.2f", f.Wall.Median), fmt.Sprintf("%.2f", gib(f.Bytes)/f.Wall.Median),
			fmt.Sprintf("%.2f", f.User.Median), fmt.Sprintf("%.2f", f.Sys.Median),
			fmt.Sprintf("%.2f", f.CPUPerGiB.Min), fmt.Sprintf("%.2f", f.CPUPerGiB.Median),
			fmt.Sprintf("%.0f", f.Switches.Median), mib(f.Memory.Total),
			ratio(f.CPUToFloor), ratio(f.CPUToPeer), ratio(f.WallToPeer),
		})
	}
	return columns, rows
}

// filled returns a table without the columns in which no row has a value, such as the ratios to a
// floor that is not in the case.
func filled(columns []string, rows [][]string) ([]string, [][]string) {
	for i := len(columns) - 1; i >= 0; i-- {
		if !slices.ContainsFunc(rows, func(row []string) bool { return row[i] != "" }) {
			columns = slices.Delete(columns, i, i+1)
			for j := range rows {
				rows[j] = slices.Delete(rows[j], i, i+1)
			}
		}
	}
	return columns, rows
}

func name(f figures) string {
	if f.Version == "" {
		return f.Client
	}
	return f.Client + " " + f.Version
}

func mib(n int64) string { return fmt.Sprintf("%.1f", float64(n)/(1<<20)) }

// perWorker returns the mean memory of a worker in MiB, "" if there are no workers.
func perWorker(f figures) string {
	if f.Memory.Children == 0 {
		return ""
	}
	return mib(f.Memory.ChildMean)
}

// plural returns n with the noun in the right number: "1 worker", "2,000 objects", "2 workers or
// connections".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	words := strings.Split(noun, " or ")
	for i, word := range words {
		if strings.HasSuffix(word, "s") {
			word += "e"
		}
		words[i] = word + "s"
	}
	return grouped(n) + " " + strings.Join(words, " or ")
}

// grouped returns n with a comma between the thousands. n must not be negative.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func ratio(r *float64) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("%.2f", *r)
}
