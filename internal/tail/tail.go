// Package tail finds the ranges at a download's end whose connections have become slow, so that others
// may go on with them: a download ends with the last of its ranges.
package tail

import (
	"sync/atomic"
	"time"
)

// A range is slow whose rest needs so many times as long as another connection would, going by the
// object's other ranges, and leastWait or more.
const (
	ratio     = 3
	leastWait = time.Second
)

var least atomic.Int64

func init() { least.Store(int64(leastWait)) }

// SetLeast is for tests: how long a slow range takes at least. It returns what puts back the state before.
func SetLeast(d time.Duration) (restore func()) {
	previous := least.Swap(int64(d))
	return func() { least.Store(previous) }
}

// Pace is how fast the ranges of one object have arrived. The zero Pace is not known.
type Pace struct {
	bytes int64
	took  time.Duration
}

// Add counts a range that has arrived.
func (p *Pace) Add(bytes int64, took time.Duration) {
	p.bytes += bytes
	p.took += took
}

// Known tells whether a range has arrived.
func (p Pace) Known() bool { return p.bytes > 0 }

// Range is one that is under way.
type Range struct {
	Length, Written int64
	Again           int64     // bytes that another would have to fetch
	Begun, Heard    time.Time // Heard: of its latest bytes
}

// Slow tells whether a range is worth another request, where the pace is known.
func (p Pace) Slow(r Range, now time.Time) bool {
	if !p.Known() {
		return false
	}
	expected := time.Duration(float64(r.Again) / float64(p.bytes) * float64(p.took))
	takes := now.Sub(r.Heard)
	if r.Written > 0 {
		takes = max(takes, time.Duration(float64(r.Length-r.Written)/float64(r.Written)*float64(now.Sub(r.Begun))))
	}
	return takes >= max(time.Duration(least.Load()), ratio*expected)
}
