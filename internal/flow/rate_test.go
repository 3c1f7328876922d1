package flow

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// step is how long a turn of the simulated clock takes.
const step = 5 * time.Millisecond

// reader is a simulated worker: a token bucket that is filled at its share, and a connection that
// brings so many bytes a second at most.
type reader struct {
	speed  float64 // of its connection, in bytes a second; 0: it has no job
	tokens float64
	read   float64 // not reported yet
	total  float64
}

// pool simulates workers under a Rate.
type pool struct {
	t       *testing.T
	rate    Rate
	now     time.Time
	ticked  time.Time
	readers []*reader
	total   float64
	ahead   float64 // bytes more than the limit allowed, at most
	allowed float64
}

func newPool(t *testing.T, limit int64, speeds ...float64) *pool {
	p := &pool{t: t, now: time.Unix(0, 0)}
	p.ticked = p.now
	p.rate.SetLimit(limit, p.now)
	for seat, speed := range speeds {
		p.readers = append(p.readers, &reader{})
		p.work(seat, speed)
	}
	return p
}

// work gives a worker a job, or with 0 takes it away.
func (p *pool) work(seat int, speed float64) {
	r := p.readers[seat]
	if r.speed > 0 {
		p.rate.Leave(seat)
	}
	if r.speed = speed; speed > 0 {
		p.rate.Join(seat, p.now)
	}
}

// run lets time pass, and returns how many bytes a second were read in it.
func (p *pool) run(d time.Duration) float64 {
	before := p.total
	for end := p.now.Add(d); p.now.Before(end); {
		p.now = p.now.Add(step)
		p.allowed += float64(p.rate.Limit()) * step.Seconds()
		for seat, r := range p.readers {
			share := float64(p.rate.Share(seat))
			r.tokens = min(r.tokens+share*step.Seconds(), share/8)
			n := max(0, min(r.speed*step.Seconds(), r.tokens))
			r.tokens -= n
			r.read += n
			r.total += n
			p.total += n
			// The worker reports what fills a piece, and 100 ms after the last report.
			if p.now.UnixMilli()%105 == int64(seat*5) || r.speed == 0 {
				p.rate.Got(seat, int64(r.read))
				r.read -= math.Floor(r.read)
			}
		}
		p.ahead = max(p.ahead, p.total-p.allowed)
		if p.now.Sub(p.ticked) >= Every {
			p.ticked = p.now
			p.rate.Tick(p.now)
		}
	}
	return (p.total - before) / d.Seconds()
}

// wantPace lets 10 seconds pass, in which want bytes a second are to be read, within 5%.
func (p *pool) wantPace(what string, want float64) {
	p.t.Helper()
	if got := p.run(10 * time.Second); math.Abs(got-want) > want/20 {
		p.t.Errorf("%s: got %.0f bytes/s in 10 s, want %.0f within 5%%", what, got, want)
	}
	if limit := float64(p.rate.Limit()); p.ahead > limit {
		p.t.Errorf("%s: %.0f bytes more than allowed at a time, want a second's worth, %.0f, at most", what, p.ahead, limit)
	}
}

func many(n int, speed float64) (speeds []float64) {
	for range n {
		speeds = append(speeds, speed)
	}
	return speeds
}

func TestRate(t *testing.T) {
	const limit = 10e6
	for _, n := range []int{1, 4, 10} {
		t.Run(fmt.Sprintf("workers=%d", n), func(t *testing.T) {
			newPool(t, limit, many(n, 90e6)...).wantPace("equal workers", limit)
			newPool(t, 100e3, many(n, 90e6)...).wantPace("a low limit", 100e3)
			// The slow ones do not use their shares, and the others have them.
			slow := many(n, 90e6)
			for i := range n / 2 {
				slow[i] = limit / float64(n) / 5
			}
			newPool(t, limit, slow...).wantPace("half of them slow", limit)
			newPool(t, limit, many(n, limit/2/float64(n))...).wantPace("all of them slow", limit/2)
		})
	}
}

// Workers come and go, a slow connection becomes fast, and the limit changes.
func TestRateChanges(t *testing.T) {
	const limit = 10e6
	p := newPool(t, limit, many(10, 90e6)...)
	p.wantPace("ten workers", limit)
	for seat := 1; seat < 10; seat++ {
		p.work(seat, 0)
	}
	p.wantPace("one is left", limit)
	for seat := 1; seat < 10; seat++ {
		p.work(seat, 1e5)
	}
	p.wantPace("nine slow ones join", limit)
	for seat := 1; seat < 10; seat++ {
		p.work(seat, 90e6)
	}
	p.wantPace("they are fast", limit)
	p.rate.SetLimit(limit/10, p.now)
	p.run(time.Second) // a bucket is emptied
	p.wantPace("a tenth of it", limit/10)
	p.rate.SetLimit(4*limit, p.now)
	p.wantPace("four times as much", 4*limit)
	p.rate.SetLimit(0, p.now)
	if share := p.rate.Share(0); share != 0 || p.rate.Busy() {
		t.Errorf("without a limit: got a share of %d, busy %v, want 0, false", share, p.rate.Busy())
	}
}

// Workers that pause between short jobs are held to the limit too, and make use of it.
func TestRatePauses(t *testing.T) {
	const limit = 10e6
	p := newPool(t, limit, many(4, 90e6)...)
	begun := p.total
	for i := range 1000 { // 10 s
		p.run(2 * step)
		p.work(i%4, float64(i/4%2)*90e6)
	}
	if got := (p.total - begun) / 10; got > 1.05*limit || got < .8*limit {
		t.Errorf("got %.0f bytes/s, want %d, or a fifth less", got, int(limit))
	}
}

// A worker that is gone has no share, nor has one that was idle for a while.
func TestRateGone(t *testing.T) {
	p := newPool(t, 900, many(3, 1)...)
	wantShares := func(want ...int64) {
		t.Helper()
		for seat, want := range want {
			if got := p.rate.Share(seat); got != want {
				t.Errorf("worker %d: got %d bytes/s, want %d", seat, got, want)
			}
		}
	}
	wantShares(300, 300, 300)
	if got := p.rate.Fair(); got != 300 {
		t.Errorf("Fair: got %d, want 300", got)
	}
	p.rate.Gone(1)
	p.rate.SetLimit(900, p.now)
	wantShares(450, 0, 450)
	p.work(0, 0)
	for range 2 { // in the first it still was busy
		p.now = p.now.Add(Every)
		p.rate.Got(2, 225)
		p.rate.Tick(p.now)
	}
	wantShares(0, 0, 900)
	p.rate.Gone(2)
	if p.rate.Busy() {
		t.Error("busy without a worker")
	}
}

// A limit of less than a byte for each worker does not stop any.
func TestRateLeast(t *testing.T) {
	p := newPool(t, 1, 1, 1)
	for seat := range 2 {
		if got := p.rate.Share(seat); got != 1 {
			t.Errorf("got a share of %d, want 1", got)
		}
	}
}
