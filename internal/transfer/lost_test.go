package transfer

import (
	"errors"
	"fmt"
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

// A worker that got further than those before it was not lost over the range; one that got no further
// was.
func TestLostWithHeadway(t *testing.T) {
	f := newFixture(t, func(f *fixture) { f.request.Cut = func(int64) Cut { return Cut{Chunk: size} } })
	f.help(0)
	f.answer(good)
	f.help(0)
	lose := func(written int64) {
		t.Helper()
		id := f.worker.Jobs[0].ID
		if written > 0 {
			f.worker.Progress(&ipc.Progress{ID: id, Written: written})
		}
		f.worker.Down()
		f.up()
	}
	for range 4 { // one byte more each time
		lose(1)
	}
	if s := f.transfer().stage; s != stageFetching {
		t.Fatalf("after four workers with headway: got %v, want fetching", s)
	}
	for range maxLost {
		lose(0)
	}
	f.end()
	if err := f.download.Outcome().Err; !errors.Is(err, failure.ErrWorkerLost) {
		t.Errorf("after three without: got %v, want ErrWorkerLost", err)
	}
}

// A size of 0 is confirmed by a GetObject that is pinned to the HeadObject's version.
func TestEmptyObject(t *testing.T) {
	for name, options := range map[string][]func(*fixture){"plain": nil, "resume": {resumed}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, options...)
			f.help(0)
			empty := ipc.Object{ETag: etag}
			f.answer(func(*ipc.Job) *ipc.Result { return &ipc.Result{Head: &ipc.HeadResult{Object: empty}} })
			f.help(0)
			if len(f.worker.Jobs) != 1 || f.worker.Jobs[0].Get == nil {
				t.Fatalf("the worker has %v, want a GetObject", f.worker.Jobs)
			}
			if g := f.worker.Jobs[0].Get; g.Size != 0 || g.Length != 0 || g.ETag != etag || !g.Unconfirmed || !g.Whole {
				t.Errorf("got %+v, want the whole object of 0 bytes, pinned", g)
			}
			f.answer(func(*ipc.Job) *ipc.Result { return &ipc.Result{Get: &ipc.GetResult{Object: empty}} })
			f.help(0)
			if o := f.download.Outcome(); o.Err != nil || o.Object.ETag != etag {
				t.Errorf("got %+v, want success", o)
			}
		})
	}
}

// An answer with the ETag of the listing must have its size; one with another ETag need not.
func TestListed(t *testing.T) {
	for _, c := range []struct {
		size int64
		etag string
		want bool // a contradiction
	}{{size, etag, false}, {size + 1, etag, true}, {size + 1, `"other"`, false}, {size + 1, "", false}} {
		for name, options := range map[string][]func(*fixture){"HeadObject": nil, "SkipHead": {skipHead}} {
			t.Run(fmt.Sprintf("%s,size=%d,etag=%s", name, c.size, c.etag), func(t *testing.T) {
				f := newFixture(t, append(options, func(f *fixture) { f.download.Listed(c.size, c.etag) })...)
				for f.help(0) || f.answer(good) {
				}
				if err := f.download.Outcome().Err; errors.Is(err, failure.ErrUnexpected) != c.want {
					t.Errorf("got %v, want a contradiction: %v", err, c.want)
				}
			})
		}
	}
}

// A worker that is killed because it did not let go of a slow range has not died over the range.
func TestLostOverACancel(t *testing.T) {
	f := newFixture(t, func(f *fixture) { f.request.Cut = func(int64) Cut { return Cut{Chunk: size} } })
	f.help(0)
	f.answer(good)
	f.help(0)
	transfer := f.transfer()
	f.on(func() { transfer.works[0].Reclaim() })
	for i := range maxLost {
		f.worker.Down()
		f.up()
		if s := transfer.stage; s.over() {
			t.Fatalf("got %v after %d workers", s, i+1)
		}
	}
	if s := transfer.works[0].span; s.lost != maxLost-1 || s.reclaimed != 1 {
		t.Errorf("got %+v, want a loss that does not count", s)
	}
}
