package dispatch

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/dispatch/fakecrew"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/flow"
	"github.com/s3processpool/processpool/internal/ipc"
)

// slowDown says of the oldest job of a worker that an attempt was refused.
func slowDown(w *fakecrew.Worker, attempt int, asked time.Duration) {
	w.Retry(&ipc.Retry{ID: w.Jobs[0].ID, Attempt: attempt, Asked: asked, Kind: failure.KindThrottled})
}

// When S3 asks for a slower pace, fewer jobs are handed out, by all workers; a job that is refused
// again changes nothing.
func TestThrottled(t *testing.T) {
	var log strings.Builder
	f := newFixture(t, 4, 1, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	a := f.task("a", 20)
	f.submit(t.Context(), a)
	var workers []*fakecrew.Worker
	for seat := range 4 {
		workers = append(workers, f.up(seat))
	}
	limits := func(want int64) {
		t.Helper()
		f.sync()
		if got := f.counters.Counts().Limit; got != want {
			t.Errorf("got a limit of %d requests, want %d", got, want)
		}
	}
	limits(0)
	const hour = time.Hour // the limit is not raised in this test
	slowDown(workers[0], 1, hour)
	slowDown(workers[1], 1, hour)
	slowDown(workers[0], 2, hour)
	limits(4) // 3.4
	f.on(func() {
		if free := f.loop.Free(); free != 0 {
			t.Errorf("%d slots are free with all in use, want none", free)
		}
		f.loop.requests.Refused(time.Now(), time.Now().Add(1), 2, hour)
		f.loop.noteLimit()
	})
	limits(2)
	f.answer(workers[2])
	f.answer(workers[3])
	f.on(func() {
		if n := f.loop.inFlight(); n < 2 || n > 3 {
			t.Errorf("%d jobs are in flight, want 2 or 3", n)
		}
		if n := strings.Count(log.String(), "fewer requests are made"); n != 1 {
			t.Errorf("%d records of the limit within a second, want 1:\n%s", n, log.String())
		}
		f.loop.End(a)
	})
}

// A refusal that ends its job counts, too; another error does not.
func TestThrottledAtTheEnd(t *testing.T) {
	f := newFixture(t, 2, 1)
	a := f.task("a", 3)
	f.submit(t.Context(), a)
	w := f.up(0)
	w.Answer(&ipc.Result{Err: failure.Pack(failure.ErrUnexpected)})
	f.sync()
	if got := f.counters.Counts().Limit; got != 0 {
		t.Errorf("after an error of another kind: got a limit of %d", got)
	}
	w.Answer(&ipc.Result{Err: &failure.Wire{Text: "slow down", Class: failure.Throttling}})
	f.sync()
	if got := f.counters.Counts().Limit; got != 1 {
		t.Errorf("got a limit of %d, want 1", got)
	}
	f.on(func() { f.loop.End(a) })
}

// With Adaptive no more jobs are handed out than were found to be enough.
func TestAdaptive(t *testing.T) {
	f := newFixture(t, 10, 1, func(o *Options) { o.Adaptive = true })
	f.on(func() { f.loop.climbing = true }) // the test measures
	a := f.task("a", 40)
	f.submit(t.Context(), a)
	var workers []*fakecrew.Worker
	for seat := range 10 {
		workers = append(workers, f.up(seat))
	}
	at := time.Now()
	lowered := false
	f.on(func() {
		for range 100 {
			at = at.Add(flow.Every)
			if lowered = f.loop.climb.Tick(at, 1e6, f.loop.inFlight()); lowered {
				break
			}
		}
		f.loop.noteLimit()
	})
	if got := f.counters.Counts().Limit; !lowered || got != 9 {
		t.Fatalf("got a limit of %d, want 9 on trial", got)
	}
	for _, w := range workers[:2] {
		f.answer(w)
	}
	f.on(func() {
		if n, free := f.loop.inFlight(), f.loop.Free(); n != 9 || free != 0 {
			t.Errorf("got %d in flight and %d free, want 9 and none", n, free)
		}
		f.loop.short = true
		f.loop.measure()
	})
	f.sync()
	f.on(func() {
		if n := f.loop.inFlight(); n != 10 {
			t.Errorf("got %d in flight after a trial that came to nothing, want 10", n)
		}
		f.loop.End(a)
	})
}
