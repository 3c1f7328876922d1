package walk

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/dispatch/fakecrew"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// asked returns a loop of one worker, which has the question for a page.
func asked(t *testing.T) (*dispatch.Loop, *fakecrew.Crew, *fakecrew.Worker, *question) {
	leak.Check(t)
	crew := fakecrew.New()
	l := dispatch.New(dispatch.Options{
		Crew: crew, Processes: 1, Requests: 1,
		Logger: slog.New(slog.DiscardHandler), Counters: new(dispatch.Counters),
	})
	t.Cleanup(func() {
		l.Do(l.Shutdown)
		<-l.Ended()
	})
	q := &question{
		loop: l, job: ipc.Job{Bucket: "b", List: &ipc.List{Prefix: "p/"}},
		logger: slog.New(slog.DiscardHandler), answer: make(chan answer, 1),
	}
	l.Do(func() { l.Urgent(q) })
	w := crew.Up(0)
	l.Do(func() {})
	if len(w.Jobs) != 1 || w.Jobs[0].List.Prefix != "p/" {
		t.Fatalf("the worker has %v, want the question", w.Jobs)
	}
	return l, crew, w, q
}

func TestQuestion(t *testing.T) {
	page := &ipc.Page{Next: "more"}
	for name, c := range map[string]struct {
		result ipc.Result
		want   error // nil: the page
	}{
		"a page":          {ipc.Result{List: page}, nil},
		"an error":        {ipc.Result{Err: failure.Pack(failure.ErrStalled)}, failure.ErrStalled},
		"another payload": {ipc.Result{Head: &ipc.HeadResult{}}, failure.ErrUnexpected},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, w, q := asked(t)
			w.Answer(&c.result)
			got := <-q.answer
			if !errors.Is(got.err, c.want) || c.want == nil && got.page != page {
				t.Errorf("got %v, %v, want %v", got.page, got.err, c.want)
			}
		})
	}
}

// A question is asked again when its worker is lost, until it has cost three of them. One that
// never read it does not count.
func TestQuestionLost(t *testing.T) {
	l, crew, w, q := asked(t)
	for range 2 * maxLost {
		w.Down(w.Jobs[0].ID)
		w = crew.Up(0)
		l.Do(func() {})
	}
	for range maxLost {
		if len(q.answer) > 0 {
			t.Fatalf("got %v already", (<-q.answer).err)
		}
		w.Down()
		w = crew.Up(0)
		l.Do(func() {})
	}
	if got := <-q.answer; !errors.Is(got.err, failure.ErrWorkerLost) || len(w.Jobs) > 0 {
		t.Errorf("got %v, want ErrWorkerLost", got.err)
	}
}

// A question that nobody waits for is canceled, and its answer goes nowhere.
func TestQuestionGivenUp(t *testing.T) {
	l, _, w, q := asked(t)
	id := w.Jobs[0].ID
	l.Do(q.giveUp)
	l.Do(func() {})
	if len(w.Canceled) != 1 || w.Canceled[0] != id {
		t.Errorf("canceled %v, want %d", w.Canceled, id)
	}
	w.Answer(&ipc.Result{List: &ipc.Page{}})
	l.Do(func() {})
	if len(q.answer) > 0 {
		t.Error("got an answer")
	}
}
