package fetch

import (
	"context"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// RateLimit limits how fast a worker reads the bodies of its Gets, all of them together. The zero
// RateLimit is no limit. Its methods may be called concurrently.
//
// A body pays for what it has read, and then waits; the next read is made when the wait is over. What
// is read at a time is small, so that no wait is long, and the kernel is kept from receiving ahead.
type RateLimit struct {
	limiter atomic.Pointer[rate.Limiter] // nil = no limit
	bodies  atomic.Int64                 // that are being read

	mu sync.Mutex // of Set
}

// A worker may be ahead of its limit, and its reads be apart, by one part of a second in grain. Its
// windows together hold ahead such parts at most.
const (
	grain = 8
	ahead = 6
)

const (
	leastPiece  = 4 << 10 // of a write under a limit, in bytes
	leastWindow = 8 << 10 // of a connection under a limit, in bytes
)

// Set sets the limit, in bytes a second; 0 = none.
func (l *RateLimit) Set(bytesPerSecond int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bytesPerSecond <= 0 {
		l.limiter.Store(nil)
		return
	}
	limit, burst := rate.Limit(bytesPerSecond), int(max(1, bytesPerSecond/grain))
	old := l.limiter.Load()
	if old == nil || limit < old.Limit()/2 {
		// What was read at the old limit would be a long wait at this one.
		fresh := rate.NewLimiter(limit, burst)
		fresh.AllowN(time.Now(), burst) // it begins with nothing to spend
		l.limiter.Store(fresh)
		return
	}
	old.SetLimit(limit)
	old.SetBurst(burst)
}

// enter notes that a body is read, until leave is called.
func (l *RateLimit) enter() (leave func()) {
	l.bodies.Add(1)
	return func() { l.bodies.Add(-1) }
}

// read returns the most bytes to read at a time, if there is a limit.
func (l *RateLimit) read() (most int64, limited bool) {
	limiter := l.limiter.Load()
	if limiter == nil {
		return 0, false
	}
	return max(1, int64(limiter.Burst())/max(1, l.bodies.Load())), true
}

// piece returns how many bytes to collect before a write, where usual is without a limit: what arrives
// in the time between two reads, so that the pool hears of it, but whole pages of align bytes.
func (l *RateLimit) piece(usual, align int64) int64 {
	most, limited := l.read()
	if !limited || most >= usual {
		return usual
	}
	return min(usual, max(power(most), leastPiece, align))
}

// power returns the largest power of two that is not more than n.
func power(n int64) int64 { return 1 << (bits.Len64(uint64(n)) - 1) }

// window returns the receive window of each connection, in bytes, a power of two so that it seldom
// changes; 0 = no limit.
func (l *RateLimit) window() int {
	most, limited := l.read()
	if !limited {
		return 0
	}
	return int(max(leastWindow, power(most*ahead)))
}

// wait pays for n bytes, and waits until they are due. Meanwhile the connection is not silent, whatever
// the watch sees.
func (l *RateLimit) wait(ctx context.Context, n int, w *watch) error {
	limiter := l.limiter.Load()
	if limiter == nil || n == 0 {
		return nil
	}
	w.held.Store(true)
	defer w.held.Store(false)
	for {
		// They may be more than the burst, which Set may just have lowered.
		burst := limiter.Burst()
		if err := limiter.WaitN(ctx, min(n, burst)); err == nil || ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}
