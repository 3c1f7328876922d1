package flow

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

var table = flag.Bool("table", false, "write the outcome of TestClimb to bench/results/adaptive.md")

// link is a simulated way to a server. From knee connections on, each further one takes a part of
// the total.
type link struct {
	name    string
	slots   int
	latency time.Duration // from a request to the first byte
	each    float64       // what a connection brings at most, in bytes a second
	total   float64       // what all bring at most
	knee    int
	loss    float64 // part of the total
	later   float64 // total after 30 s; 0: the same
	noise   float64 // part of total and each by which they vary, every 300 ms
}

const mb = 1e6

var links = []link{
	{"each connection 90 MB/s, 1 ms", 10, time.Millisecond, 90 * mb, 1e12, 0, 0, 0, 0},
	{"each connection 20 MB/s, 100 ms", 64, 100 * time.Millisecond, 20 * mb, 1e12, 0, 0, 0, 0},
	{"total 125 MB/s", 64, 30 * time.Millisecond, 90 * mb, 125 * mb, 0, 0, 0, 0},
	{"total 1 GB/s, each 90 MB/s", 64, 20 * time.Millisecond, 90 * mb, 1000 * mb, 0, 0, 0, 0},
	{"total 125 MB/s, each 5 MB/s, 200 ms", 128, 200 * time.Millisecond, 5 * mb, 125 * mb, 0, 0, 0, 0},
	{"500 MB/s, more than 16 hinder each other", 64, 20 * time.Millisecond, 90 * mb, 500 * mb, 16, .02, 0, 0},
	{"125 MB/s, more than 4 hinder each other", 32, 10 * time.Millisecond, 90 * mb, 125 * mb, 4, .05, 0, 0},
	{"500 MB/s, later 125", 64, 20 * time.Millisecond, 90 * mb, 500 * mb, 0, 0, 125 * mb, 0},
	{"125 MB/s, later 1000", 64, 20 * time.Millisecond, 90 * mb, 125 * mb, 0, 0, 1000 * mb, 0},
	{"each connection 20 MB/s, 100 ms, varies by 10%", 64, 100 * time.Millisecond, 20 * mb, 1e12, 0, 0, 0, .1},
	{"1 GB/s, varies by 10%", 64, 20 * time.Millisecond, 90 * mb, 1000 * mb, 0, 0, 0, .1},
	{"500 MB/s, more than 16 hinder each other, varies by 5%", 64, 20 * time.Millisecond, 90 * mb, 500 * mb, 16, .02, 0, .05},
	{"250 MB/s, more than 8 hinder each other, later 100", 64, 20 * time.Millisecond, 90 * mb, 250 * mb, 8, .03, 100 * mb, 0},
}

// download simulates a download of 60 s in ranges of 8 MiB, and returns how many bytes had arrived at
// the end of each second, and the limits then. limit tells how many requests may be in flight.
func (l link) download(limit func(now time.Time, bytes int64, inFlight int) int) (arrived []float64, limits []int) {
	const span, turn = 8 << 20, 10 * time.Millisecond
	type request struct{ waits, left float64 }
	var requests []request
	begun := time.Unix(1e9, 0)
	total, reported, most, vary := 0.0, 0.0, 0, 1.0
	random := rand.New(rand.NewPCG(1, 2)) // the same for every number
	for turns := range 6000 {
		now := begun.Add(time.Duration(turns) * turn)
		if now.Sub(begun)%Every < turn {
			most = limit(now, int64(total-reported), len(requests))
			reported = total
		}
		for len(requests) < most {
			requests = append(requests, request{l.latency.Seconds(), span})
		}
		cap := l.total
		if l.later > 0 && turns >= 3000 {
			cap = l.later
		}
		if n := len(requests); l.knee > 0 && n > l.knee {
			cap /= 1 + l.loss*float64(n-l.knee)
		}
		active := 0
		for _, r := range requests {
			if r.waits <= 0 {
				active++
			}
		}
		if turns%30 == 0 {
			vary = 1 + l.noise*(2*random.Float64()-1)
		}
		rate := vary * min(l.each, cap/float64(max(1, active)))
		kept := requests[:0]
		for _, r := range requests {
			if r.waits > 0 {
				r.waits -= turn.Seconds()
			} else {
				n := min(r.left, rate*turn.Seconds())
				r.left, total = r.left-n, total+n
			}
			if r.left > 0 {
				kept = append(kept, r)
			}
		}
		requests = kept
		if (turns+1)%100 == 0 {
			arrived, limits = append(arrived, total), append(limits, most)
		}
	}
	return arrived, limits
}

// between returns how many bytes arrive a second between two times, in seconds.
func between(arrived []float64, from, to int) float64 {
	before := 0.0
	if from > 0 {
		before = arrived[from-1]
	}
	return (arrived[to-1] - before) / float64(to-from)
}

// Climb finds a number that brings at least 0.9 of what the best fixed one brings, within ten seconds,
// also when the link changes; and a download takes no longer than with all slots, but for 5%.
func TestClimb(t *testing.T) {
	var rows []string
	for _, l := range links {
		fixed := make([][]float64, l.slots+1)
		for n := 1; n <= l.slots; n++ {
			fixed[n], _ = l.download(func(time.Time, int64, int) int { return n })
		}
		best := func(from, to int) (rate float64, at int) {
			for n := 1; n <= l.slots; n++ {
				if r := between(fixed[n], from, to); r > 1.001*rate {
					rate, at = r, n
				}
			}
			return rate, at
		}
		c := NewClimb(l.slots)
		got, limits := l.download(func(now time.Time, bytes int64, inFlight int) int {
			c.Tick(now, bytes, inFlight)
			return c.Limit()
		})
		for _, window := range [][2]int{{10, 30}, {40, 60}} {
			want, n := best(window[0], window[1])
			if rate := between(got, window[0], window[1]); rate < .9*want {
				t.Errorf("%s: from %d to %d s %.1f MB/s, want 0.9 of %.1f, with %d; limits %v", l.name, window[0], window[1], rate/mb, want/mb, n, limits)
			}
		}
		for _, upTo := range []int{5, 10, 30, 60} {
			if all, rate := between(fixed[l.slots], 0, upTo), between(got, 0, upTo); rate < .95*all {
				t.Errorf("%s: in the first %d s %.1f MB/s, want 0.95 of %.1f, with all %d; limits %v", l.name, upTo, rate/mb, all/mb, l.slots, limits)
			}
		}
		early, earlyAt := best(10, 30)
		late, lateAt := best(40, 60)
		rows = append(rows, fmt.Sprintf("| %s | %d | %.0f (%d) | %.0f (%d) | %.2f | %.0f (%d) | %.0f (%d) | %.2f | %.2f |", l.name, l.slots,
			early/mb, earlyAt, between(got, 10, 30)/mb, limits[29], between(got, 10, 30)/early,
			late/mb, lateAt, between(got, 40, 60)/mb, limits[59], between(got, 40, 60)/late,
			between(got, 0, 60)/between(fixed[l.slots], 0, 60)))
	}
	if *table {
		if err := os.WriteFile("../../bench/results/adaptive.md", []byte(tableHead+strings.Join(rows, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const tableHead = `# Adaptive, simulated

How many requests in flight ` + "`Adaptive`" + ` finds on simulated links, with ranges of 8 MiB over 60 s, and the best
fixed number. Links that change do so after 30 s. MB/s, with the number of requests in flight in
brackets: the least fixed one that is within 0.1% of the best, and that of ` + "`Adaptive`" + ` at the end of the
time. The last column compares the whole 60 s, search included, with all slots.

A test has the simulation: ` + "`go test ./internal/flow -run TestClimb -table`" + ` writes this file.

| link | slots | 10 to 30 s: best fixed | Adaptive | ratio | 40 to 60 s: best fixed | Adaptive | ratio | 60 s against all slots |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
`

// Time in which there was too little to ask for tells nothing, and ends a trial.
func TestClimbPause(t *testing.T) {
	c := NewClimb(10)
	now := time.Unix(1e9, 0)
	tick := func() bool {
		now = now.Add(Every)
		return c.Tick(now, 1e6, c.Limit())
	}
	for range 20 {
		tick()
		c.Pause()
	}
	if c.Limit() != 10 {
		t.Fatalf("got a limit of %d without a measurement, want 10", c.Limit())
	}
	for n := 0; !tick(); n++ {
		if n == 100 {
			t.Fatal("nothing was tried")
		}
	}
	if c.Limit() != 9 {
		t.Errorf("got a limit of %d on trial, want 9", c.Limit())
	}
	if c.Pause(); c.Limit() != 10 {
		t.Errorf("got a limit of %d after the trial, want 10", c.Limit())
	}
}

// One slot leaves nothing to find, and no bytes tell nothing.
func TestClimbLeast(t *testing.T) {
	for slots, bytes := range map[int]int64{1: 1e6, 10: 0} {
		c := NewClimb(slots)
		for n := range 1000 {
			c.Tick(time.Unix(1e9, int64(n)*int64(Every)), bytes, c.Limit())
			if c.Limit() != slots {
				t.Fatalf("%d bytes: got a limit of %d of %d slots", bytes, c.Limit(), slots)
			}
		}
	}
}
