package transfer

import (
	"cmp"
	"time"
)

// A range is slow if what is missing of it needs ratio times as long as another connection would
// need for it, going by the object's other ranges, and no less than the least time of a slow range.
const (
	ratio     = 3
	leastSlow = time.Second // if Env.Slow is 0
)

// limitedPiece is about how much a worker whose rate is limited writes at a time at least, in bytes.
const limitedPiece = 4 << 10

// pace is how fast the ranges of one object have arrived. The zero pace is not known.
type pace struct {
	bytes int64
	took  time.Duration
}

// add counts a range that has arrived.
func (p *pace) add(bytes int64, took time.Duration) {
	p.bytes += bytes
	p.took += took
}

// known reports whether a range has arrived.
func (p pace) known() bool { return p.bytes > 0 }

// underway is a range that has not arrived.
type underway struct {
	length, written int64
	again           int64     // bytes that another connection would have to fetch
	begun, heard    time.Time // heard: of its latest bytes
	limited         bool      // a limit of the rate has, or had, a part in it
	rate            int64     // bytes a second that it can count on; 0: there is no limit now
}

// slow reports whether a range is worth another request, where the pace is known.
func (p pace) slow(u underway, now time.Time, least time.Duration) bool {
	if !p.known() {
		return false
	}
	expected := time.Duration(float64(u.again) / float64(p.bytes) * float64(p.took))
	if u.rate > 0 {
		expected = max(expected, time.Duration(float64(u.again+limitedPiece)/float64(u.rate)*float64(time.Second)))
	}
	takes := now.Sub(u.heard)
	if u.written > 0 && !u.limited { // else it tells nothing of the connection
		takes = max(takes, time.Duration(float64(u.length-u.written)/float64(u.written)*float64(now.Sub(u.begun))))
	}
	return takes >= max(cmp.Or(least, leastSlow), ratio*expected)
}
