package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/dispatch/fakecrew"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/pool"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// fixture is a loop with a crew whose part the test plays, and what its tasks have been told.
type fixture struct {
	t        *testing.T
	crew     *fakecrew.Crew
	loop     *Loop
	counters Counters
	log      []string // of the loop's goroutine
}

func newFixture(t *testing.T, processes, requests int, options ...func(*Options)) *fixture {
	leak.Check(t)
	f := &fixture{t: t, crew: fakecrew.New()}
	o := Options{
		Crew: f.crew, Processes: processes, Requests: requests,
		Logger: slog.New(slog.DiscardHandler), Counters: &f.counters,
	}
	for _, option := range options {
		option(&o)
	}
	f.loop = New(o)
	t.Cleanup(func() {
		f.loop.Do(f.loop.Shutdown)
		<-f.loop.Ended()
		if !f.crew.Stopped {
			t.Error("the crew was not stopped")
		}
	})
	return f
}

// on runs fn on the loop's goroutine, and returns when the loop has done what follows from it: in
// the same turn it hands jobs out, and then begins entries, whose jobs it hands out in the next
// turn.
func (f *fixture) on(fn func()) {
	f.loop.Do(fn)
	f.loop.Do(func() {})
	f.loop.Do(func() {})
}

// sync returns when the loop has done all that it can do now.
func (f *fixture) sync() { f.on(func() {}) }

func (f *fixture) up(seat int) *fakecrew.Worker {
	w := f.crew.Up(seat)
	f.sync()
	return w
}

// said returns what the tasks have been told since the last call.
func (f *fixture) said() []string {
	var log []string
	f.on(func() { log, f.log = f.log, nil })
	return log
}

func (f *fixture) wantSaid(want ...string) {
	f.t.Helper()
	if got := f.said(); !slices.Equal(got, want) {
		f.t.Errorf("the tasks were told %q, want %q", got, want)
	}
}

// task is a Task, and its own Entry, that has n jobs.
type task struct {
	f      *fixture
	name   string
	jobs   int
	soon   bool
	spare  int // slots that it takes if they are offered
	end    bool
	brief  bool
	unsent bool   // the test sends its jobs
	op     ipc.Op // of its jobs; "": OpGet
	ticket Ticket
	out    []*Job // handed out, not answered
}

func (f *fixture) task(name string, jobs int) *task { return &task{f: f, name: name, jobs: jobs} }

// submit queues tasks in one turn of the loop.
func (f *fixture) submit(ctx context.Context, tasks ...*task) {
	f.on(func() {
		for _, t := range tasks {
			f.loop.Submit(ctx, t)
		}
	})
}

func (t *task) say(format string, args ...any) {
	t.f.log = append(t.f.log, t.name+": "+fmt.Sprintf(format, args...))
}

func (t *task) Ticket() *Ticket             { return &t.ticket }
func (t *task) Begin(*Loop) Task            { t.say("begin"); return t }
func (t *task) Refuse(op string, err error) { t.say("refuse %s: %v", op, err) }
func (t *task) Soon() bool                  { return t.soon }
func (t *task) Ready() int                  { return t.jobs }
func (t *task) Brief() bool                 { return t.brief }
func (t *task) Logger() *slog.Logger        { return slog.New(slog.DiscardHandler) }

func (t *task) Next() *Job {
	if t.jobs == 0 {
		return nil
	}
	t.jobs--
	j := &Job{Op: cmp.Or(t.op, ipc.OpGet), Message: &ipc.Job{Bucket: t.name, Key: t.name, Get: &ipc.Get{}}}
	if t.unsent {
		j.Message = nil
	}
	t.out = append(t.out, j)
	return j
}

func (t *task) Spare(free int, _ time.Time) (int, bool) {
	taken := min(free, t.spare)
	t.spare -= taken
	for i := range taken {
		t.out[i].Reclaim()
	}
	return taken, t.spare > 0
}

func (t *task) Found(*Job, *ipc.Found)           { t.say("found") }
func (t *task) Progress(_ *Job, p *ipc.Progress) { t.say("progress %d", p.Written) }
func (t *task) Retry(*Job, *ipc.Retry)           { t.say("retry") }
func (t *task) Lost(j *Job, _ error)             { t.say("lost %d", j.Cost()); t.jobs++; t.drop(j) }
func (t *task) Result(j *Job, _ *ipc.Result)     { t.say("result"); t.drop(j) }
func (t *task) Cancel(cause error)               { t.say("cancel: %v", cause); t.f.loop.End(t) }
func (t *task) Abort(op string, err error)       { t.say("abort %s", op); t.f.loop.End(t) }

func (t *task) drop(j *Job) {
	t.out = slices.DeleteFunc(t.out, func(other *Job) bool { return other == j })
	if t.end && t.jobs == 0 && len(t.out) == 0 {
		t.f.loop.End(t)
	}
}

// keys are the tasks whose jobs a worker has.
func keys(w *fakecrew.Worker) string {
	var keys []string
	for _, j := range w.Jobs {
		keys = append(keys, j.Key)
	}
	return strings.Join(keys, " ")
}

var answered = &ipc.Result{Get: &ipc.GetResult{}}

func (f *fixture) answer(w *fakecrew.Worker) {
	r := *answered
	w.Answer(&r)
	f.sync()
}

func TestOldestFirst(t *testing.T) {
	f := newFixture(t, 1, 2)
	a, b := f.task("a", 3), f.task("b", 3)
	a.end, b.end = true, true
	f.submit(t.Context(), a, b)
	w := f.up(0)
	var got []string
	for len(w.Jobs) > 0 {
		got = append(got, keys(w))
		f.answer(w)
	}
	if want := []string{"a a", "a a", "a b", "b b", "b b", "b"}; !slices.Equal(got, want) {
		t.Errorf("the worker had %q, want %q", got, want)
	}
}

// An urgent task goes first, and once.
func TestUrgent(t *testing.T) {
	f := newFixture(t, 1, 1)
	a, u := f.task("a", 2), f.task("u", 2)
	a.end = true
	f.submit(t.Context(), a)
	w := f.up(0)
	f.on(func() { f.loop.Urgent(u) })
	var got []string
	for len(w.Jobs) > 0 {
		got = append(got, keys(w))
		f.answer(w)
	}
	if want := []string{"a", "u", "a"}; !slices.Equal(got, want) {
		t.Errorf("the worker had %q, want %q", got, want)
	}
}

// A job goes to the worker with the fewest, and of equal ones to the lowest seat.
func TestFewestJobs(t *testing.T) {
	f := newFixture(t, 3, 2)
	a := f.task("a", 5)
	a.end = true
	second, first := f.up(2), f.up(0)
	f.submit(t.Context(), a)
	if keys(first) != "a a" || keys(second) != "a a" {
		t.Errorf("got %q and %q, want two each", keys(first), keys(second))
	}
	third := f.up(1)
	if keys(third) != "a" {
		t.Errorf("the third has %q, want the last", keys(third))
	}
	for _, w := range []*fakecrew.Worker{first, second, third} {
		for len(w.Jobs) > 0 {
			f.answer(w)
		}
	}
}

// A worker's last words count, a lost job goes to the next, and what it says after its answer is
// about nothing.
func TestWords(t *testing.T) {
	f := newFixture(t, 2, 1)
	a := f.task("a", 1)
	a.end = true
	f.submit(t.Context(), a)
	w := f.up(0)
	id := w.Jobs[0].ID
	w.Found(&ipc.Found{ID: id})
	w.Progress(&ipc.Progress{ID: id, Written: 7})
	w.Progress(&ipc.Progress{ID: id + 1, Written: 9})
	w.Retry(&ipc.Retry{ID: id, Kind: failure.KindUnexpected})
	f.sync()
	if j := a.out[0]; j.Written != 0 || !j.Retrying {
		t.Errorf("after an answer that cannot be trusted: got %d bytes, retrying %v, want 0, true", j.Written, j.Retrying)
	}
	w.Progress(&ipc.Progress{ID: id, Written: 8})
	w.Down()
	f.sync()
	w = f.up(1)
	f.answer(w)
	f.wantSaid("a: begin", "a: found", "a: progress 7", "a: retry", "a: progress 8", "a: lost 1", "a: result")
	if c := f.counters.Counts(); c.Bytes != 8 || c.Gets != 3 || c.Unexpected != 1 || c.Workers != 1 || c.Restarts != 0 {
		t.Errorf("got counts %+v, want 8 bytes, 3 GETs (one made again), 1 unexpected, 1 worker", c)
	}
}

// A job that its worker never read has not cost it its life.
func TestUnread(t *testing.T) {
	f := newFixture(t, 1, 2)
	a := f.task("a", 2)
	a.end = true
	f.submit(t.Context(), a)
	w := f.up(0)
	w.Down(w.Jobs[1].ID)
	f.sync()
	got := f.said()
	slices.Sort(got)
	if want := []string{"a: begin", "a: lost 0", "a: lost 1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	w = f.up(0)
	f.answer(w)
	f.answer(w)
	if c := f.counters.Counts(); c.Restarts != 1 {
		t.Errorf("got %d restarts, want 1", c.Restarts)
	}
}

// Entries begin as slots are free, unless a task under way will ask for them soon.
func TestAdmit(t *testing.T) {
	f := newFixture(t, 1, 1)
	a, b := f.task("a", 0), f.task("b", 0)
	a.soon = true
	f.submit(t.Context(), a, b)
	f.wantSaid()
	f.up(0)
	f.wantSaid("a: begin")
	f.on(func() { a.soon = false })
	f.wantSaid("b: begin")
	f.on(func() { f.loop.End(a); f.loop.End(b) })
}

// Slots that nobody has a job for are offered; what is taken back keeps one of them.
func TestSpare(t *testing.T) {
	f := newFixture(t, 1, 3)
	a := f.task("a", 1)
	a.spare = 1
	f.submit(t.Context(), a)
	w := f.up(0)
	f.sync()
	if want := []uint64{w.Jobs[0].ID}; !slices.Equal(w.Canceled, want) {
		t.Fatalf("canceled %v, want %v", w.Canceled, want)
	}
	b := f.task("b", 0)
	f.submit(t.Context(), b)
	f.on(func() { a.spare, b.spare = 0, 0 })
	f.answer(w)
	f.on(func() { f.loop.End(a); f.loop.End(b) })
}

func TestCancel(t *testing.T) {
	f := newFixture(t, 1, 1)
	a, b := f.task("a", 0), f.task("b", 1)
	a.soon = true
	f.submit(t.Context(), a, b)
	f.up(0)
	cause := errors.New("enough")
	f.on(func() {
		f.loop.Cancel(b, cause)
		f.loop.Cancel(a, cause)
		f.loop.Cancel(a, cause) // once more, when it has ended
		f.loop.Cancel(b, cause)
	})
	f.wantSaid("a: begin", "b: refuse queue: enough", "a: cancel: enough")
	c := f.task("c", 0)
	f.on(func() { f.loop.Cancel(c, cause); f.loop.Submit(context.Background(), c) })
	f.wantSaid("c: refuse queue: enough")
}

// A context that many entries share is watched once, and forgotten with the last of them.
func TestContexts(t *testing.T) {
	f := newFixture(t, 1, 1)
	ctx, cancel := context.WithCancelCause(t.Context())
	a, b, c := f.task("a", 0), f.task("b", 0), f.task("c", 0)
	a.soon = true
	f.submit(ctx, a, b, c)
	f.up(0)
	f.on(func() {
		if len(f.loop.contexts) != 1 {
			t.Errorf("got %d contexts, want 1", len(f.loop.contexts))
		}
		f.loop.Cancel(c, failure.ErrCanceled)
	})
	f.said()
	cancel(errors.New("the cause"))
	for done := false; !done; runtime.Gosched() {
		f.on(func() { done = b.ticket.ended && a.ticket.ended })
	}
	f.on(func() {
		if len(f.loop.contexts) != 0 {
			t.Errorf("got %d contexts, want none", len(f.loop.contexts))
		}
		f.loop.Submit(ctx, f.task("d", 0))
	})
	got := f.said()
	if len(got) != 3 || got[2] != "d: refuse start: the download was canceled: the cause" {
		t.Errorf("got %q, want a and b canceled and d refused", got)
	}
}

func TestShutdownWaits(t *testing.T) {
	f := newFixture(t, 1, 1)
	var hold *Hold
	f.on(func() { hold = f.loop.Hold(func() {}) })
	a, b := f.task("a", 0), f.task("b", 0)
	f.on(f.loop.Shutdown)
	f.submit(t.Context(), a)
	f.on(func() { hold.Submit(t.Context(), b) })
	f.up(0)
	f.wantSaid("a: refuse start: "+failure.ErrShutdown.Error(), "b: begin")
	ready := make(chan error, 1)
	f.on(func() {
		hold.Release()
		if f.loop.Hold(func() {}) != nil {
			t.Error("got a Hold after Shutdown")
		}
		f.loop.Await(ready)
	})
	if err := <-ready; err != nil {
		t.Errorf("Await: got %v, want nil while a worker is up", err)
	}
	select {
	case <-f.loop.Ended():
		t.Error("the loop has ended with a task under way")
	default:
	}
	f.loop.Do(func() { f.loop.End(b) })
	<-f.loop.Ended()
	if f.loop.Do(func() {}) {
		t.Error("Do: got true after the end")
	}
}

// Close ends what waits and what is under way, tells holders, and stops the crew when they have let go.
func TestClose(t *testing.T) {
	f := newFixture(t, 1, 1)
	told := 0
	var hold *Hold
	a, b, c := f.task("a", 0), f.task("b", 0), f.task("c", 0)
	a.soon = true
	f.on(func() { hold = f.loop.Hold(func() { told++ }) })
	f.submit(t.Context(), a, b)
	f.up(0)
	f.on(f.loop.Close)
	f.submit(t.Context(), c)
	canceled := failure.ErrCanceled.Error()
	f.wantSaid("a: begin", "b: refuse queue: "+canceled, "a: cancel: "+canceled, "c: refuse start: "+failure.ErrShutdown.Error())
	if told != 1 || f.crew.Stopped {
		t.Errorf("told %d holders, stopped %v, want 1 and false", told, f.crew.Stopped)
	}
	f.loop.Do(hold.Release)
	<-f.loop.Ended()
}

// No worker can be started: everything ends, and the next entry has the crew try again.
func TestGiveUp(t *testing.T) {
	f := newFixture(t, 1, 1)
	ready := make(chan error, 1)
	a, b, u := f.task("a", 0), f.task("b", 0), f.task("u", 1)
	a.soon = true
	f.submit(t.Context(), a, b)
	w := f.up(0)
	w.Down()
	f.on(func() { f.loop.Urgent(u); f.loop.Await(ready) })
	f.crew.Send(brokenEvent(errors.New("exec format error")))
	f.sync()
	if err := <-ready; !errors.Is(err, failure.ErrWorkerLost) || !strings.Contains(err.Error(), "exec format error") {
		t.Errorf("Await: got %v, want ErrWorkerLost with the cause", err)
	}
	got := f.said()
	if len(got) != 4 || got[1] != "u: abort start" || got[2] != "a: abort start" || !strings.HasPrefix(got[3], "b: refuse start") {
		t.Errorf("got %q, want u and a aborted and b refused", got)
	}
	if f.crew.Revived != 0 {
		t.Error("revived before anything was submitted")
	}
	c := f.task("c", 0)
	f.submit(t.Context(), c)
	if f.crew.Revived != 1 {
		t.Errorf("revived %d times, want once", f.crew.Revived)
	}
	f.on(func() { f.loop.Cancel(c, failure.ErrCanceled) })
}

// A queue keeps its order, passes over what has ended, and gives its memory back.
func TestQueue(t *testing.T) {
	var q queue
	f := &fixture{t: t}
	var want []string
	for i := range 5000 {
		e := f.task(fmt.Sprint(i), 0)
		q.push(e)
		if i%3 == 0 {
			e.ticket.ended = true
			q.live--
			continue
		}
		want = append(want, e.name)
	}
	var got []string
	for e := q.pop(); e != nil; e = q.pop() {
		got = append(got, e.(*task).name)
		if len(q.entries)-q.head > 2500 && cap(q.entries) > 3*5000 {
			t.Fatalf("a queue of %d has room for %d", len(q.entries)-q.head, cap(q.entries))
		}
	}
	if !slices.Equal(got, want) || q.live != 0 || q.entries != nil {
		t.Errorf("got %d entries, live %d, want %d and an empty queue", len(got), q.live, len(want))
	}
}

func brokenEvent(err error) pool.Event { return pool.Broken{Err: err} }
