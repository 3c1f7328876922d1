package dispatch

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/dispatch/fakecrew"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// heard are the attempts that a loop's caller was told of. gate holds up its calls; nil: nothing does.
type heard struct {
	mu   sync.Mutex
	all  []Attempt
	gate chan struct{}
}

func (h *heard) option(o *Options) {
	o.OnAttempt = func(a Attempt) {
		if h.gate != nil {
			<-h.gate
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all = append(h.all, a)
	}
}

// told returns what the caller was told, when that is all.
func (f *fixture) told(h *heard) []Attempt {
	f.sync()
	f.loop.Told()()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all
}

// one has a worker do a job.
func (f *fixture) one() (*Job, *fakecrew.Worker) {
	w := f.up(0)
	a := f.task("a", 1)
	f.submit(f.t.Context(), a)
	f.sync()
	return a.out[0], w
}

func ended(number int, err error) *ipc.Attempt {
	now := time.Now().UnixNano()
	return &ipc.Attempt{ID: 1, Op: ipc.OpGet, Length: 10, Number: number, Start: now, End: now, Err: failure.Pack(err)}
}

func TestAttempts(t *testing.T) {
	var h heard
	f := newFixture(t, 1, 1, h.option)
	_, w := f.one()
	w.Attempt(ended(1, failure.ErrStalled))
	w.Retry(&ipc.Retry{ID: 1, Attempt: 1, Kind: failure.KindStalled})
	last := ended(2, nil)
	last.Ends = true
	w.Attempt(last)
	w.Answer(&ipc.Result{Get: &ipc.GetResult{}})
	got := f.told(&h)
	if len(got) != 2 || !errors.Is(got[0].Err, failure.ErrStalled) || got[1].Err != nil || got[1].Number != 2 ||
		got[0].Key != "a" || got[0].Worker != 1000 {
		t.Errorf("got %+v", got)
	}
}

// The times are a worker's word, and stay between the job's begin and now.
func TestAttemptsTimes(t *testing.T) {
	var h heard
	f := newFixture(t, 1, 1, h.option)
	j, w := f.one()
	for _, times := range [][2]int64{{0, 1 << 62}, {1 << 62, 0}, {-1 << 62, -1 << 62}} {
		a := ended(1, nil)
		a.Start, a.End = times[0], times[1]
		w.Attempt(a)
	}
	for _, a := range f.told(&h) {
		if a.Start.Before(j.Begun) || a.End.Before(a.Start) || a.End.After(time.Now()) {
			t.Errorf("got %v to %v, of a job that began at %v", a.Start, a.End, j.Begun)
		}
	}
}

// The request of a lost worker has failed; the next job for the range goes on counting.
func TestAttemptsOfALostWorker(t *testing.T) {
	var h heard
	f := newFixture(t, 1, 1, h.option)
	j, w := f.one()
	w.Attempt(ended(1, failure.ErrStalled))
	w.Progress(&ipc.Progress{ID: 1, Written: 4})
	w.Down()
	got := f.told(&h)
	if len(got) != 2 || !errors.Is(got[1].Err, failure.ErrWorkerLost) || got[1].Number != 2 || got[1].Status != 0 || got[1].Bytes != 4 {
		t.Errorf("got %+v", got)
	}
	if n := j.Requests(); n != 2 {
		t.Errorf("got %d requests, want 2", n)
	}
}

// A worker that never saw the job, waits between two requests, or has made its last one, has made no
// request that is lost.
func TestAttemptsOfALostWorkerThatMadeNone(t *testing.T) {
	for name, before := range map[string]func(*fakecrew.Worker) (unread []uint64){
		"unread": func(*fakecrew.Worker) []uint64 { return []uint64{1} },
		"waits": func(w *fakecrew.Worker) []uint64 {
			w.Retry(&ipc.Retry{ID: 1, Attempt: 1, Wait: time.Hour, Kind: failure.KindOther})
			return nil
		},
		"ends": func(w *fakecrew.Worker) []uint64 {
			last := ended(1, nil)
			last.Ends = true
			w.Attempt(last)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var h heard
			f := newFixture(t, 1, 1, h.option)
			_, w := f.one()
			w.Down(before(w)...)
			for _, a := range f.told(&h) {
				if a.Err != nil {
					t.Errorf("got %+v", a)
				}
			}
		})
	}
}

// After Abandon nothing more is told of a job, whatever its worker says.
func TestAbandon(t *testing.T) {
	var h heard
	f := newFixture(t, 1, 1, h.option)
	j, w := f.one()
	f.on(func() { j.Abandon(failure.ErrCanceled) })
	w.Attempt(ended(1, nil))
	w.Answer(&ipc.Result{Err: failure.Pack(failure.ErrCanceled)})
	got := f.told(&h)
	if len(got) != 1 || !errors.Is(got[0].Err, failure.ErrCanceled) || got[0].Number != 1 {
		t.Errorf("got %+v", got)
	}
}

// A caller that is slow gets everything, and no job is handed out while too much waits for it.
func TestAttemptsBehind(t *testing.T) {
	h := heard{gate: make(chan struct{})}
	f := newFixture(t, 1, 4, h.option)
	w := f.up(0)
	f.submit(t.Context(), f.task("a", 3))
	say := func(job uint64) {
		for range leastWaiting / 2 {
			a := ended(1, nil)
			a.ID = job
			w.Attempt(a)
		}
	}
	say(1)
	b := f.task("b", 2)
	f.submit(t.Context(), b)
	f.sync()
	if len(b.out) != 1 {
		t.Fatalf("got %d jobs handed out: the words of one job hold up others", len(b.out))
	}
	say(2)
	say(3)
	w.Answer(&ipc.Result{Get: &ipc.GetResult{}})
	f.sync()
	if len(b.out) != 1 {
		t.Error("a job was handed out")
	}
	close(h.gate)
	if got := f.told(&h); len(got) != 3*leastWaiting/2 {
		t.Errorf("got %d attempts, want %d", len(got), 3*leastWaiting/2)
	}
	for handed := false; !handed; {
		f.on(func() { handed = len(b.out) == 2 })
	}
}

// What a worker reports of one job beyond what anybody could wait for is dropped.
func TestAttemptsBounded(t *testing.T) {
	h := heard{gate: make(chan struct{})}
	f := newFixture(t, 1, 1, h.option)
	_, w := f.one()
	for range 2 * leastWaiting {
		w.Attempt(ended(1, nil))
	}
	f.sync()
	close(h.gate)
	if n := len(f.told(&h)); n < leastWaiting/2 || n > leastWaiting/2+1 { // one may be with the caller
		t.Errorf("got %d", n)
	}
}

// A worker that reports long texts without end does not use up memory.
func TestAttemptsOfLongTexts(t *testing.T) {
	h := heard{gate: make(chan struct{})}
	f := newFixture(t, 1, 1, h.option)
	_, w := f.one()
	large := ended(1, errors.New(strings.Repeat("x", failure.MaxText)))
	const sent = leastWaiting / 2
	for range sent {
		w.Attempt(large)
	}
	f.sync()
	close(h.gate)
	if n := len(f.told(&h)); n >= sent || n*large.Size() < leastWaiting/2*averageText {
		t.Errorf("got %d of %d", n, sent)
	}
}
