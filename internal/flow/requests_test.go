package flow

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// server is a simulated S3 that allows so many requests a second: a bucket of tokens, one for each
// request. It answers after latency.
type server struct {
	perSecond float64
	burst     float64
	latency   time.Duration

	tokens float64
	at     time.Time
}

func (s *server) take(now time.Time) bool {
	s.tokens = min(s.tokens+now.Sub(s.at).Seconds()*s.perSecond, s.burst)
	s.at = now
	if s.tokens < 1 {
		return false
	}
	s.tokens--
	return true
}

// event is something that happens in a simulation.
type event struct {
	at time.Time
	do func()
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// crowd simulates a pool that always has something to ask, and whose workers repeat what was refused
// after a pause, as those of package fetch do.
type crowd struct {
	requests *Requests
	server   server
	rand     *rand.Rand
	now      time.Time
	events   events
	jobs     int // in flight, or pausing
	wakes    time.Time

	answered, refused int
}

func (c *crowd) after(d time.Duration, do func()) { heap.Push(&c.events, event{c.now.Add(d), do}) }

func (c *crowd) handOut() {
	for {
		ok, wait := c.requests.May(c.jobs, c.now)
		if wait > 0 && !c.wakes.After(c.now) {
			c.wakes = c.now.Add(wait)
			c.after(wait, func() {})
		}
		if !ok {
			return
		}
		c.requests.Sent(c.now)
		c.jobs++
		c.request(1)
	}
}

// request makes a request of a job, which has failed before if attempt is over 1.
func (c *crowd) request(attempt int) {
	begun := c.now
	c.after(c.server.latency/2, func() {
		taken := c.server.take(c.now)
		c.after(c.server.latency/2, func() {
			if taken {
				c.answered++
				c.jobs--
				if attempt == 1 {
					c.requests.Answered(begun, c.now)
				}
				return
			}
			c.refused++
			if attempt == 1 {
				c.requests.Refused(begun, c.now, c.jobs, 0)
			}
			step := min(500*time.Millisecond<<(attempt-1), 20*time.Second)
			c.after(time.Duration(c.rand.Int64N(int64(step))), func() { c.request(attempt + 1) })
		})
	})
}

func (c *crowd) run(d time.Duration) (answered, refused float64) {
	answeredBefore, refusedBefore := c.answered, c.refused
	end := c.now.Add(d)
	for c.handOut(); len(c.events) > 0 && c.events[0].at.Before(end); c.handOut() {
		e := heap.Pop(&c.events).(event)
		c.now = e.at
		e.do()
	}
	c.now = end
	return float64(c.answered-answeredBefore) / d.Seconds(), float64(c.refused-refusedBefore) / d.Seconds()
}

func newCrowd(slots int, s server) *crowd {
	c := &crowd{requests: NewRequests(slots), server: s, rand: rand.New(rand.NewPCG(1, 2)), now: time.Unix(1e9, 0)}
	c.server.at, c.server.tokens = c.now, s.burst
	return c
}

// A server that allows N requests a second gets nearly as many, and refuses few.
func TestRequestsAllowed(t *testing.T) {
	for _, perSecond := range []float64{50, 500, 5500} {
		for _, latency := range []time.Duration{5 * time.Millisecond, 30 * time.Millisecond, 200 * time.Millisecond} {
			for _, slots := range []int{10, 80} {
				for _, burst := range []float64{.1, 1} {
					t.Run(fmt.Sprintf("N=%g,latency=%v,slots=%d,burst=%gs", perSecond, latency, slots, burst), func(t *testing.T) {
						s := server{perSecond: perSecond, burst: max(1, perSecond*burst), latency: latency}
						best := min(perSecond, float64(slots)/latency.Seconds())
						c := newCrowd(slots, s)
						first, _ := c.run(10 * time.Second)
						answered, refused := c.run(50 * time.Second)
						if answered < .9*best || first < .5*best {
							t.Errorf("%.1f requests/s were answered, %.1f in the first 10 s; want 0.9 and 0.5 of %.1f", answered, first, best)
						}
						if refused > .02*best {
							t.Errorf("%.2f requests/s were refused, want 2%% of %.1f at most", refused, best)
						}
					})
				}
			}
		}
	}
}

// When the server does not refuse any more the limit goes, however low it was.
func TestRequestsRecover(t *testing.T) {
	c := newCrowd(20, server{perSecond: 20, burst: 20, latency: 20 * time.Millisecond})
	c.run(30 * time.Second)
	if limit := c.requests.Limit(); limit > 1 {
		t.Fatalf("20 requests/s of 20 ms: got a limit of %.2f, want less than one in flight", limit)
	}
	c.server.perSecond, c.server.burst = 1e6, 1e6
	c.run(90 * time.Second)
	if c.requests.Limited() {
		t.Errorf("after 90 s: got a limit of %.2f, want none", c.requests.Limit())
	}
	if answered, _ := c.run(10 * time.Second); answered < 990 {
		t.Errorf("got %.0f requests/s, want 1000", answered)
	}
}

// A limit is lowered once for the requests that were sent before, and is not raised before the time
// that the server asks for.
func TestRequestsRefused(t *testing.T) {
	at := time.Unix(1e9, 0)
	after := func(ms int) time.Time { return at.Add(time.Duration(ms) * time.Millisecond) }
	r := NewRequests(10)
	for n := range 11 {
		if ok, _ := r.May(n, at); ok != (n < 10) {
			t.Errorf("%d in flight: got %v", n, ok)
		}
	}
	if !r.Refused(at, after(100), 10, 2*time.Second) || r.Refused(after(50), after(100), 9, 0) {
		t.Error("lowered once for two requests at a time: want so")
	}
	const lowered = 8.5
	if r.Limit() != lowered || r.Room(8) != 1 || r.Room(12) != 0 {
		t.Errorf("got a limit of %g, room for %d, want 8.5 and 1", r.Limit(), r.Room(8))
	}
	if ok, wait := r.May(10, after(200)); ok || wait > 0 {
		t.Errorf("10 in flight: got %v, %v", ok, wait)
	}
	if ok, _ := r.May(7, after(2100)); !ok || r.Limit() != lowered {
		t.Errorf("the limit was raised to %g before the time that the server asks for", r.Limit())
	}
	if ok, _ := r.May(7, after(2200)); !ok || r.Limit() <= lowered {
		t.Error("the limit was not raised after it")
	}
	if !r.Refused(after(2150), after(2300), 4, 0) || r.Limit() >= 4 {
		t.Errorf("with 4 in flight: got a limit of %g", r.Limit())
	}
	for range 3 {
		r.Sent(after(2300))
	}
	if ok, wait := r.May(0, after(2300)); ok || wait <= 0 {
		t.Errorf("after three requests at once: got %v, %v, want to wait", ok, wait)
	}
}
