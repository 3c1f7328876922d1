package transfer

import (
	"errors"
	"testing"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// A worker's report of a range may come when the download has ended and its listener is gone: the
// worker had not heard of the end yet.
func TestProgressAfterTheEnd(t *testing.T) {
	var reports []Progress
	f := newFixture(t, func(f *fixture) {
		f.request.OnProgress = func(p Progress) { reports = append(reports, p) }
	})
	f.help(0)
	f.answer(good)
	f.help(0)
	f.on(func() { f.loop.Cancel(&f.download, failure.ErrCanceled) })
	f.help(0)
	<-f.download.Done()
	n, before := len(reports), f.download.Progress()
	if !f.says(func(id uint64) { f.worker.Progress(&ipc.Progress{ID: id, Written: 5}) }) {
		t.Fatal("the worker has no job")
	}
	if got := f.download.Progress(); got != before || len(reports) != n {
		t.Errorf("got progress %v and %d calls, want %v and %d", got, len(reports), before, n)
	}
}

// A worker that was lost before it read the job has not been lost over it.
func TestLostBeforeItWasSeen(t *testing.T) {
	for name, reach := range map[string]func(*fixture){
		"HeadObject": func(f *fixture) { f.help(0) },
		"GetObject":  func(f *fixture) { f.help(0); f.answer(good); f.help(0) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			reach(f)
			for range 2 * maxLost {
				f.worker.Down(f.worker.Jobs[0].ID, f.worker.Jobs[len(f.worker.Jobs)-1].ID)
				f.up()
			}
			if s := f.transfer().stage; s.over() {
				t.Errorf("got %v, want it under way", s)
			}
		})
	}
}

// A question, and a range, that costs three workers ends the download.
func TestLostOverIt(t *testing.T) {
	for name, c := range map[string]struct {
		reach   func(*fixture)
		options []func(*fixture)
	}{
		"HeadObject":               {reach: func(f *fixture) { f.help(0) }},
		"GetObject":                {reach: func(f *fixture) { f.help(0); f.answer(good); f.help(0) }},
		"GetObject, size expected": {func(f *fixture) { f.help(0); f.help(0) }, []func(*fixture){expected}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, c.options...)
			c.reach(f)
			for i := range maxLost {
				if s := f.transfer().stage; s.over() {
					t.Fatalf("got %v after %d workers", s, i)
				}
				f.worker.Down()
				f.up()
			}
			f.end()
			if err := f.download.Outcome().Err; !errors.Is(err, failure.ErrWorkerLost) {
				t.Errorf("got %v, want ErrWorkerLost", err)
			}
		})
	}
}
