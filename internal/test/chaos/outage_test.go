//go:build linux

package chaos

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

// budget is what the default RetryTimeout leaves of a minute.
const budget = time.Minute / hurry

// outage is a time in which the origin serves nothing. It is much shorter than RetryTimeout, so
// that it explains no error.
type outage struct {
	at         int // number of the request at which it begins
	lasts      time.Duration
	status     int    // of all answers; 0: it has left, and connections are refused
	retryAfter string // of all answers; "": none

	begun atomic.Bool
	took  atomic.Int64 // what it has lasted, in nanoseconds
}

func (p *plan) drawOutage(d dice) *outage {
	o := &outage{
		at:     1 + d.IntN(4*len(p.transfers)),
		lasts:  time.Duration(30+d.IntN(371)) * time.Millisecond,
		status: pick(d, []int{0, 0, 0, 502, 503, 429}),
	}
	if o.status != 0 && d.chance(50) {
		o.retryAfter = "1"
	}
	p.attempts = max(p.attempts, 5) // with fewer, the default RetryTimeout does not apply
	return o
}

func (o *outage) String() string {
	return fmt.Sprintf("outage at %d for %v, status %d, Retry-After %q", o.at, o.lasts, o.status, o.retryAfter)
}

// begin begins the outage, which ends by itself. It is called from within a request.
func (o *outage) begin(r *run) {
	o.begun.Store(true)
	r.count.fault(fmt.Sprint("outage, status ", o.status))
	begun := time.Now()
	end := func() { o.took.Store(int64(time.Since(begun))) }
	if o.status == 0 {
		r.blows.Go(func() {
			r.origin.Leave()
			time.Sleep(o.lasts)
			r.origin.Return()
			end()
		})
		return
	}
	away := func(s3test.Request) bool { return o.took.Load() == 0 }
	r.origin.Inject(s3test.Fault{Status: o.status, RetryAfter: o.retryAfter, Match: away})
	r.blows.Go(func() {
		time.Sleep(o.lasts)
		end()
	})
}

// struck reports whether the outage has begun. A nil outage never does.
func (o *outage) struck() bool { return o != nil && o.begun.Load() }

// tooLong reports whether the outage has lasted so long that a download may have failed.
func (o *outage) tooLong() bool { return o.struck() && time.Duration(o.took.Load()) > budget/2 }
