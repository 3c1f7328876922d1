package dispatch

import (
	"testing"

	"github.com/s3processpool/processpool/internal/ipc"
)

// wanted returns how many workers the loop has asked for.
func (f *fixture) wanted() (n int) {
	f.on(func() { n = f.crew.Wanted })
	return n
}

// Workers are started as there is work for them, and all of them by Await.
func TestRecruit(t *testing.T) {
	for _, c := range []struct {
		name      string
		requests  int
		jobs      []int // of each task
		before    int   // workers wanted before one is up
		after     int   // and after
		processes int
	}{
		{name: "nothing to do", requests: 1, before: 0, after: 0, processes: 4},
		{name: "one job", requests: 1, jobs: []int{1}, before: 1, after: 1, processes: 4},
		{name: "three jobs of one task", requests: 1, jobs: []int{3}, before: 1, after: 3, processes: 4},
		{name: "more jobs than workers", requests: 1, jobs: []int{100}, before: 1, after: 4, processes: 4},
		{name: "several requests each", requests: 2, jobs: []int{5}, before: 1, after: 3, processes: 4},
		{name: "three tasks", requests: 1, jobs: []int{1, 1, 1}, before: 3, after: 3, processes: 4},
		{name: "many tasks", requests: 1, jobs: []int{1, 1, 1, 1, 1, 1}, before: 4, after: 4, processes: 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, c.processes, c.requests)
			for _, n := range c.jobs {
				f.submit(t.Context(), f.task("t", n))
			}
			if got := f.wanted(); got != c.before {
				t.Errorf("%d workers are wanted before one is up, want %d", got, c.before)
			}
			if c.before > 0 {
				f.up(0)
			}
			if got := f.wanted(); got != c.after {
				t.Errorf("%d workers are wanted, want %d", got, c.after)
			}
			ready := make(chan error, 1)
			f.on(func() { f.loop.Await(ready) })
			if got := f.wanted(); got != c.processes {
				t.Errorf("Await: %d workers are wanted, want all %d", got, c.processes)
			}
			f.on(f.loop.Close)
		})
	}
}

// While a question is out whose answer may be work for many, workers are started one after the other.
func TestRecruitMeanwhile(t *testing.T) {
	f := newFixture(t, 4, 1)
	asks := f.task("asks", 1)
	asks.op = ipc.OpHead
	f.submit(t.Context(), asks)
	for up := range 3 {
		if got := f.wanted(); got != up+1 {
			t.Errorf("with %d workers up, %d are wanted", up, got)
		}
		f.up(up)
	}
	f.on(f.loop.Close)
}

// One that waits for a worker which does not become ready gets another.
func TestRecruitImpatiently(t *testing.T) {
	f := newFixture(t, 3, 1)
	f.submit(t.Context(), f.task("t", 1))
	for n := 1; n <= 3; n++ {
		for f.wanted() < n { // after some time
		}
	}
	f.on(f.loop.Close)
}
