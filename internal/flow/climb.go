package flow

import (
	"math"
	"time"
)

// Climb finds how many requests are to be in flight by measuring: it begins with all slots, tries
// another number, and keeps it if it is better, or if it is fewer and as good ("hill climbing"). It goes
// on trying now and then, because the best number changes. Tick is called every Every while the pool
// is busy.
type Climb struct {
	slots int
	limit int // in flight

	trial  bool    // limit is tried; else it is what was found
	sure   bool    // a great gain by fewer is theirs, and not that of a link that has changed
	from   int     // what was found before the trial
	base   float64 // bytes a second with that
	best   float64 // bytes a second, the most since the last increase of the number was kept
	down   bool    // direction of the next trial
	stride float64 // of the next trial, as a part of the number

	settling int     // Ticks in which the number of requests has not reached limit
	ticks    int     // of the measurement
	bytes    float64 // in them
	seconds  float64
	rest     int // Ticks until the next trial
	backoff  int // Ticks to wait before the next decrease is tried again
	at       time.Time
	since    int // Ticks since the last decrease that was given up
}

const (
	firstStride = 0.12
	stretch     = 2.5  // the stride after a trial that was kept
	mostStride  = 0.5  // down
	measured    = 3    // Ticks of a measurement
	mostSettle  = 8    // Ticks
	worth       = 1.03 // how much better more requests must be
	asGood      = 0.98 // how much of the best fewer requests must bring
	upEvery     = 10   // Ticks between two trials of more requests
	firstDown   = 16   // Ticks before fewer are tried again, doubled each time
	mostDown    = 240
	changed     = 0.15 // part by which the rate is another
	risen       = 0.3  // part by which it is more, and all slots are tried
)

// NewClimb returns a Climb for a pool with so many slots.
func NewClimb(slots int) *Climb {
	return &Climb{slots: slots, limit: slots, from: slots, down: true, stride: firstStride, backoff: firstDown}
}

// Limit returns how many requests may be in flight.
func (c *Climb) Limit() int { return c.limit }

// Pause takes the place of Tick where nothing can be learned from the time that has passed, because
// there were too few requests to make. A trial ends.
func (c *Climb) Pause() {
	if c.trial {
		c.trial, c.limit = false, c.from
	}
	c.at = time.Time{}
}

// Tick notes how many bytes have arrived since the last Tick, and how many requests are in flight. It
// reports whether Limit has changed.
func (c *Climb) Tick(now time.Time, bytes int64, inFlight int) bool {
	passed := now.Sub(c.at).Seconds()
	first := c.at.IsZero()
	if c.at = now; first || passed <= 0 {
		c.restart()
		return false
	}
	c.since++
	if !c.settled(inFlight) {
		return false
	}
	c.bytes += float64(bytes)
	c.seconds += passed
	if c.ticks++; c.ticks < measured {
		return false
	}
	rate := c.bytes / c.seconds
	c.ticks, c.bytes, c.seconds = 0, 0, 0
	if c.trial {
		return c.judge(rate)
	}
	return c.look(now, rate)
}

// restart begins the measurement again.
func (c *Climb) restart() { c.settling, c.ticks, c.bytes, c.seconds = 0, 0, 0, 0 }

// settled reports whether as many requests are in flight as may be, or that this is not to be had.
// The Tick in which it comes to be so does not count.
func (c *Climb) settled(inFlight int) bool {
	if c.settling < 0 {
		return true
	}
	if c.settling++; inFlight == c.limit || c.settling > mostSettle {
		c.settling = -1
	}
	return false
}

// look takes a measurement of the number that was found, and begins a trial when it is time.
func (c *Climb) look(now time.Time, rate float64) bool {
	switch {
	case c.base == 0:
	case rate > (1+risen)*c.base && c.limit < c.slots:
		// There is much more to be had than was known: as at the beginning, all slots first.
		*c = *NewClimb(c.slots)
		c.at = now
		return true
	case math.Abs(rate-c.base) > changed*c.base:
		// The link has changed: what was found says nothing any more.
		c.best, c.rest, c.backoff, c.since = rate, 0, firstDown, firstDown
	}
	c.base, c.best = rate, max(c.best, rate)
	if c.rest -= measured; c.rest > 0 || rate == 0 {
		return false
	}
	if c.limit == c.slots {
		c.down = true
	}
	if c.down && c.since < c.backoff && c.backoff > firstDown {
		if c.limit == c.slots {
			return false
		}
		c.down = false
	}
	return c.try()
}

// try begins a trial.
func (c *Climb) try() bool {
	step := max(1, int(math.Round(c.stride*float64(c.limit))))
	next := min(c.limit+step, c.slots)
	if c.down {
		step = max(1, int(math.Round(min(c.stride, mostStride)*float64(c.limit))))
		next = max(c.limit-step, 1)
	}
	if next == c.limit {
		c.down, c.rest, c.stride = !c.down, upEvery, firstStride
		return false
	}
	c.trial, c.from, c.limit = true, c.limit, next
	c.restart()
	return true
}

// judge takes the measurement of a trial.
func (c *Climb) judge(rate float64) bool {
	c.trial = false
	kept := rate >= worth*c.base
	if c.down {
		kept = rate >= asGood*c.best
	}
	if kept && c.down && rate > (1+risen)*c.base && !c.sure {
		// By fewer, or by chance? The number before tells.
		c.limit, c.sure, c.rest = c.from, true, 0
		c.restart()
		return true
	}
	if kept {
		c.base = rate
		if c.down {
			c.best = max(c.best, rate)
		} else {
			c.best = rate
		}
		c.stride *= stretch
		return c.try()
	}
	c.limit, c.sure = c.from, false
	if c.down {
		c.since = 0
		if c.stride <= firstStride {
			c.backoff = min(2*c.backoff, mostDown)
		}
	}
	c.rest, c.stride = upEvery, firstStride
	c.down = !c.down
	c.restart()
	return true
}
