package pool

import "sync/atomic"

var defaults atomic.Pointer[Options]

// SetDefaults is for tests that cannot reach the Options of a pool: of pools made from
// then on, the times that are not zero in o take the place of the defaults. It
// returns what puts back the state before.
func SetDefaults(o Options) (restore func()) {
	previous := defaults.Swap(&o)
	return func() { defaults.Store(previous) }
}

func setDefaults() Options {
	if o := defaults.Load(); o != nil {
		return *o
	}
	return Options{}
}
