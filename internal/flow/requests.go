package flow

import (
	"math"
	"time"
)

// Requests says how many requests the pool may have in flight: all its slots, until the server refuses
// one because there are too many. Then the number is lowered by a factor, and raised slowly as long as
// none is refused (additive increase, multiplicative decrease, as TCP does with its window).
//
// Under a limit requests are sent at even intervals, those in which so many are in flight: a server
// that counts requests a second would refuse some of a bunch. So the number may be a fraction, and
// less than one where the server answers fast.
type Requests struct {
	slots int
	limit float64 // at the time at
	at    time.Time

	lowered time.Time // when it was last; zero: there is no limit
	from    float64   // what it was lowered to

	takes time.Duration // a request, on average of the last ones; 0: not known
	next  time.Time     // when the next one is due

	refused float64 // part of the requests, on average of the last ones
}

const (
	least     = 1.0 / 64
	isolated  = 0.85                  // factor of a refusal that is alone
	severe    = 0.5                   // the least factor
	slope     = 0.03                  // of what the limit was lowered to, a second
	quickens  = 6 * time.Second       // the slope doubles in this time
	averaged  = 16                    // requests, of which takes is an average
	recent    = 8.0                   // requests, of which refused is one
	bunch     = 10 * time.Millisecond // requests that are due in this time may be sent together
	longestIn = time.Second           // between two requests
	excess    = 1.5                   // times the limit may be in flight, when requests take longer than before
)

// NewRequests returns Requests for a pool with so many slots.
func NewRequests(slots int) *Requests { return &Requests{slots: slots, limit: float64(slots)} }

// Limited reports whether fewer requests than there are slots may be in flight.
func (r *Requests) Limited() bool { return !r.lowered.IsZero() }

// Limit returns how many requests may be in flight, on average.
func (r *Requests) Limit() float64 { return r.limit }

// May reports whether a request may be sent while so many are in flight. If it is only too early for
// one, May returns how long to wait.
func (r *Requests) May(inFlight int, now time.Time) (ok bool, wait time.Duration) {
	if r.raise(now); !r.Limited() {
		return inFlight < r.slots, 0
	}
	if inFlight >= r.slots || float64(inFlight) > excess*r.limit {
		return false, 0
	}
	early := r.next.Sub(now)
	return early <= 0, max(early, 0)
}

// Room returns how many requests more than inFlight there may be.
func (r *Requests) Room(inFlight int) int {
	if !r.Limited() {
		return r.slots - inFlight
	}
	return max(0, int(math.Ceil(r.limit))-inFlight)
}

// Sent notes that a request is sent.
func (r *Requests) Sent(now time.Time) {
	if !r.Limited() {
		return
	}
	between := min(time.Duration(float64(r.takes)/r.limit), longestIn)
	r.next = r.next.Add(between)
	if earliest := now.Add(between - max(between, bunch)); r.next.Before(earliest) {
		r.next = earliest
	}
}

// Answered notes that a request has ended that was sent at begun, and was not refused.
func (r *Requests) Answered(begun, now time.Time) {
	took := now.Sub(begun)
	if r.takes == 0 {
		r.takes = took
	}
	r.takes += (took - r.takes) / averaged
	r.refused -= r.refused / recent
}

// Refused notes that the server has refused a request that was sent at begun because there are too
// many, while so many were in flight. The limit is not raised before after has passed, which is how
// long the server asks to wait. Refused reports whether the limit was lowered: requests that were sent
// before it was tell nothing new. What a worker repeats on its own is not noted.
func (r *Requests) Refused(begun, now time.Time, inFlight int, after time.Duration) bool {
	r.raise(now)
	r.refused += (1 - r.refused) / recent
	if r.Limited() && !begun.After(r.lowered) {
		return false
	}
	factor := min(max(1-r.refused, severe), isolated)
	if r.takes == 0 {
		r.takes = now.Sub(begun)
	}
	r.limit = max(min(r.limit, float64(inFlight))*factor, least)
	r.from, r.lowered, r.at = r.limit, now, now.Add(after)
	return true
}

// raise raises the limit by the time that has passed.
func (r *Requests) raise(now time.Time) {
	if !r.Limited() || !now.After(r.at) {
		return
	}
	// The integral of slope * 2^(t/quickens).
	raised := func(at time.Time) float64 {
		return slope * quickens.Seconds() / math.Ln2 * math.Exp2(at.Sub(r.lowered).Seconds()/quickens.Seconds())
	}
	r.limit += r.from * (raised(now) - raised(r.at))
	r.at = now
	if r.limit >= float64(r.slots) {
		*r = Requests{slots: r.slots, limit: float64(r.slots), takes: r.takes, refused: r.refused}
	}
}
