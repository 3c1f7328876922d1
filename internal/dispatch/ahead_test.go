package dispatch

import (
	"slices"
	"testing"

	"github.com/s3processpool/processpool/internal/dispatch/fakecrew"
	"github.com/s3processpool/processpool/internal/ipc"
)

// briefly returns a task whose jobs are brief, and that ends with the last of them.
func (f *fixture) briefly(name string, jobs int) *task {
	t := f.task(name, jobs)
	t.brief, t.end = true, true
	return t
}

// answerAll answers jobs until no worker has one.
func (f *fixture) answerAll(workers ...*fakecrew.Worker) {
	for again := true; again; {
		again = false
		for _, w := range workers {
			if len(w.Has()) > 0 {
				f.answer(w)
				again = true
			}
		}
	}
}

// A busy worker gets brief jobs ahead, as many as it has slots.
func TestAhead(t *testing.T) {
	limited := func(f *fixture) { f.on(func() { f.loop.SetMaxBytesPerSecond(1 << 20) }) }
	for _, c := range []struct {
		name    string
		jobs    int
		long    bool
		prepare func(*fixture)
		want    int // jobs of two workers with two slots each
	}{
		{name: "many", jobs: 9, want: 8},
		{name: "some", jobs: 6, want: 6},
		{name: "one a slot", jobs: 4, want: 4},
		{name: "long jobs", jobs: 9, long: true, want: 4},
		{name: "a limit of the rate", jobs: 9, prepare: limited, want: 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, 2, 2)
			if c.prepare != nil {
				c.prepare(f)
			}
			a := f.briefly("a", c.jobs)
			a.brief = !c.long
			first := f.up(0)
			f.submit(t.Context(), a)
			if n := len(first.Has()); n != 2 {
				t.Errorf("while a worker is to come the first has %d jobs, want as many as slots", n)
			}
			second := f.up(1)
			if got := len(first.Has()) + len(second.Has()); got != c.want {
				t.Errorf("the workers have %d jobs, want %d", got, c.want)
			}
			if got := f.counters.Counts().Gets; got != 4 {
				t.Errorf("%d requests are counted, want those of the 4 slots", got)
			}
			f.answerAll(first, second)
			if got := f.counters.Counts().Gets; got != int64(c.jobs) {
				t.Errorf("%d requests are counted at the end, want %d", got, c.jobs)
			}
		})
	}
}

// A brief job does not go before the long one of an older task, nor behind one.
func TestAheadOldestFirst(t *testing.T) {
	f := newFixture(t, 1, 1)
	a, b := f.task("a", 2), f.briefly("b", 1)
	a.end = true
	w := f.up(0)
	f.submit(t.Context(), a, b)
	for _, want := range []string{"a", "a", "b"} {
		if got := keys(w); got != want {
			t.Errorf("the worker has %q, want %q", got, want)
		}
		f.answer(w)
	}
}

// Where one worker has a job that may take long, younger jobs could go before those ahead.
func TestAheadOfMixedJobs(t *testing.T) {
	f := newFixture(t, 2, 1)
	long, short := f.task("long", 1), f.briefly("short", 3)
	long.end = true
	first, second := f.up(0), f.up(1)
	f.submit(t.Context(), long, short)
	if keys(first) != "long" || keys(second) != "short" {
		t.Errorf("the workers have %q and %q, want one job each", keys(first), keys(second))
	}
	f.answer(first)
	if keys(first) != "short short" || keys(second) != "short" {
		t.Errorf("the workers have %q and %q, want the last ahead", keys(first), keys(second))
	}
	f.answerAll(first, second)
}

// Of a lost worker, only what had begun counts as having cost it.
func TestAheadLost(t *testing.T) {
	f := newFixture(t, 1, 1)
	a := f.briefly("a", 3)
	w := f.up(0)
	f.submit(t.Context(), a)
	f.answer(w) // the second has begun, the third waits
	w.Down()
	f.sync()
	got := f.said()
	slices.Sort(got)
	if want := []string{"a: begin", "a: lost 0", "a: lost 1", "a: result"}; !slices.Equal(got, want) {
		t.Errorf("the task was told %q, want %q", got, want)
	}
	f.answerAll(f.up(0))
}

// A job that waits too long is taken back, and goes to a slot that is free. One that the worker has
// begun meanwhile is not affected.
func TestRecall(t *testing.T) {
	f := newFixture(t, 2, 1)
	slow, other := f.up(0), f.up(1)
	a := f.briefly("a", 4)
	f.submit(t.Context(), a)
	f.answer(other) // its second is its last
	f.answer(other)
	waiting := slow.Has()[1].ID
	var recalled []uint64
	for len(recalled) == 0 { // after some time
		f.on(func() { recalled = slices.Clone(slow.Recalled) })
	}
	if !slices.Equal(recalled, []uint64{waiting}) {
		t.Fatalf("%v were taken back, want job %d", recalled, waiting)
	}
	if err := slow.Say(waiting, &ipc.Result{ID: waiting, Waited: true}); err != nil {
		t.Fatal(err)
	}
	f.sync()
	if got := len(other.Has()); got != 1 {
		t.Errorf("the free worker has %d jobs, want the one that was taken back", got)
	}
	f.wantSaid("a: begin", "a: result", "a: result", "a: lost 0")
	f.answerAll(other, slow)
}

// A job that waits can be canceled: its worker answers at once.
func TestAheadCancel(t *testing.T) {
	f := newFixture(t, 1, 1)
	a := f.briefly("a", 2)
	w := f.up(0)
	f.submit(t.Context(), a)
	waiting := w.Has()[1].ID
	f.on(func() { a.out[1].Abandon(nil) })
	if !slices.Equal(w.Canceled, []uint64{waiting}) {
		t.Errorf("canceled %v, want job %d", w.Canceled, waiting)
	}
	if err := w.Say(waiting, &ipc.Result{ID: waiting, Get: &ipc.GetResult{}}); err != nil {
		t.Fatal(err)
	}
	f.wantSaid("a: begin", "a: result")
	f.answerAll(w)
}

// Jobs whose files are created meanwhile have their slots in the order in which they are sent.
func TestAheadSent(t *testing.T) {
	f := newFixture(t, 1, 1)
	a := f.briefly("a", 3)
	a.unsent = true
	w := f.up(0)
	f.submit(t.Context(), a)
	send := func(i int) { f.on(func() { a.out[i].Send(&ipc.Job{Key: "a", Get: &ipc.Get{}}, nil) }) }
	if n := len(a.out); n != 1 {
		t.Fatalf("%d jobs were handed out, want none behind one that has not begun", n)
	}
	send(0)
	second := a.out[1]
	f.answer(w) // the second has the slot now, and is not sent
	if second.Sent() || second.waits {
		t.Errorf("the second has begun: %v, waits: %v", second.Sent(), second.waits)
	}
	f.on(second.Withdraw)
	f.on(func() { a.drop(second) })
	third := a.out[0]
	send(0)
	if !third.Sent() || third.waits {
		t.Error("the third has not begun")
	}
	f.answerAll(w)
}
