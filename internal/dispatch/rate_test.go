package dispatch

import (
	"testing"

	"github.com/s3processpool/processpool/internal/dispatch/fakecrew"
	"github.com/s3processpool/processpool/internal/ipc"
)

func (f *fixture) wantRates(what string, workers []*fakecrew.Worker, want ...int64) {
	f.t.Helper()
	f.on(func() {
		for i, w := range workers {
			if w.Rate != want[i] {
				f.t.Errorf("%s: worker %d has %d bytes/s, want %d", what, i, w.Rate, want[i])
			}
		}
	})
}

// The workers that have Gets share the limit, and hear of it before they get one.
func TestMaxBytesPerSecond(t *testing.T) {
	f := newFixture(t, 3, 1, func(o *Options) { o.MaxBytesPerSecond = 1200 })
	a := f.task("a", 2)
	workers := []*fakecrew.Worker{f.up(0), f.up(1), f.up(2)}
	f.wantRates("no job", workers, 0, 0, 0)
	f.submit(t.Context(), a)
	f.wantRates("two jobs", workers, 600, 600, 0)
	f.on(func() {
		if got := f.loop.FairRate(); got != 600 {
			t.Errorf("FairRate: got %d, want 600", got)
		}
		for _, j := range a.out {
			if !j.Limited {
				t.Error("a job that was sent under the limit is not Limited")
			}
		}
		f.loop.SetMaxBytesPerSecond(3000)
	})
	f.wantRates("another limit", workers, 1500, 1500, 0)
	f.on(func() { a.jobs = 1 })
	f.wantRates("a third job", workers, 1000, 1000, 1000)
	f.on(func() { f.loop.SetMaxBytesPerSecond(0) })
	f.wantRates("no limit", workers, 0, 0, 0)
	f.answer(workers[0])
	f.on(func() { a.jobs = 1 })
	f.on(func() {
		if j := a.out[len(a.out)-1]; j.Limited {
			t.Error("a job that was sent without a limit is Limited")
		}
		f.loop.SetMaxBytesPerSecond(900)
		for _, j := range a.out {
			if !j.Limited {
				t.Error("a job that was under way when the limit was set is not Limited")
			}
		}
	})
	f.wantRates("a limit again", workers, 300, 300, 300)
	f.on(func() { f.loop.End(a) })
}

// Only Gets are limited; a worker that is new has a share from its first job on.
func TestMaxBytesPerSecondOfGets(t *testing.T) {
	f := newFixture(t, 2, 1, func(o *Options) { o.MaxBytesPerSecond = 1000 })
	a := f.task("a", 1)
	head := f.task("head", 0)
	f.submit(t.Context(), a)
	workers := []*fakecrew.Worker{f.up(0), f.up(1)}
	f.on(func() { f.loop.Urgent(headTask{head}) })
	f.wantRates("a Get and a Head", workers, 1000, 0)
	workers[0].Down()
	f.sync()
	f.answer(workers[1])
	f.wantRates("the Get's worker is lost", workers[1:], 1000)
	f.on(func() { f.loop.End(a) })
}

// headTask is a task with one Head.
type headTask struct{ *task }

func (t headTask) Next() *Job { return &Job{Op: ipc.OpHead, Message: &ipc.Job{Head: &ipc.Head{}}} }

// Bytes are counted once, under a limit too.
func TestRateCounts(t *testing.T) {
	f := newFixture(t, 1, 1, func(o *Options) { o.MaxBytesPerSecond = 1 << 40 })
	a := f.task("a", 1)
	f.submit(t.Context(), a)
	w := f.up(0)
	id := w.Jobs[0].ID
	w.Progress(&ipc.Progress{ID: id, Written: 7})
	w.Progress(&ipc.Progress{ID: id, Written: 9})
	w.Answer(&ipc.Result{Get: &ipc.GetResult{Written: 10}})
	f.sync()
	if c := f.counters.Counts(); c.Bytes != 10 {
		t.Errorf("got %d bytes, want 10", c.Bytes)
	}
	f.on(func() { f.loop.End(a) })
}
