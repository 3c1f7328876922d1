package pool

import "time"

// How much of a worker's standard error is logged: a burst, which holds the dump of a crash, and
// then as much a second. A worker that writes without end would otherwise fill the log, which may be
// a file on the disk of the downloads.
const (
	burst     = 256 << 10 // bytes
	perSecond = 16 << 10  // bytes
	perRecord = 100       // bytes of a record besides the line, about
)

// allowance says which lines are logged. It counts those that are not.
type allowance struct {
	now   func() time.Time // nil = time.Now
	spent int              // bytes
	at    time.Time        // when spent was right

	lines, bytes int // not logged since the last call of takeDropped
}

// take reports whether a line of n bytes is logged.
func (a *allowance) take(n int) bool {
	now := time.Now
	if a.now != nil {
		now = a.now
	}
	passed := min(now().Sub(a.at), time.Hour)
	if regained := int(passed * perSecond / time.Second); regained > 0 {
		a.spent, a.at = max(0, a.spent-regained), now()
	}
	if a.spent+n+perRecord > burst {
		a.lines++
		a.bytes += n
		return false
	}
	a.spent += n + perRecord
	return true
}

// takeDropped returns how much was not logged since the last call.
func (a *allowance) takeDropped() (lines, bytes int) {
	lines, bytes = a.lines, a.bytes
	a.lines, a.bytes = 0, 0
	return lines, bytes
}
