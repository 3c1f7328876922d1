package fetch

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
)

// reading reads bodies with fast connections for d, and returns how many bytes a second that made.
func reading(t *testing.T, l *RateLimit, bodies int, d time.Duration) float64 {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var mu sync.Mutex
	var total int64
	var wg sync.WaitGroup
	for range bodies {
		wg.Go(func() {
			defer l.enter()()
			for ctx.Err() == nil {
				most, limited := l.read()
				if !limited {
					t.Error("no limit")
					return
				}
				if l.wait(context.WithoutCancel(ctx), int(most), &watch{}) == nil {
					mu.Lock()
					total += most
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return float64(total) / d.Seconds()
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l RateLimit
		for _, limit := range []int64{1_000_000, 300, 50_000_000, 1_000} { // each changes the last
			l.Set(limit)
			for _, bodies := range []int{1, 8} {
				got := reading(t, &l, bodies, 10*time.Second)
				if math.Abs(got-float64(limit)) > float64(limit)/20 {
					t.Errorf("%d bodies: got %.0f bytes/s, want %d within 5%%", bodies, got, limit)
				}
			}
		}
	})
}

// A limit that is lowered is not held against what was read before, or the connection would be
// silent for long; and one that is set again and again gives nothing away.
func TestRateLimitLowered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l RateLimit
		begun := time.Now()
		wait := func(n int) {
			t.Helper()
			if err := l.wait(t.Context(), n, &watch{}); err != nil {
				t.Error(err)
			}
		}
		wait(1 << 30) // no limit
		l.Set(80e6)
		go wait(10e6) // the burst
		synctest.Wait()
		l.Set(800)
		wait(10e6) // was read before the limit was lowered
		if took := time.Since(begun); took > time.Second/grain {
			t.Errorf("what was read before took %v, want %v at most", took, time.Second/grain)
		}
		time.Sleep(time.Second)
		l.Set(80e6)
		begun = time.Now()
		for i := range 100 {
			l.Set(80e6 + int64(i%2))
			wait(1e6)
		}
		if took := time.Since(begun); took < time.Second {
			t.Errorf("100 MB of 80 MB/s took %v, want more than a second", took)
		}
		l.Set(0)
		wait(1 << 30)
	})
}

// A wait for the limit is no stall, and ends with its context.
func TestRateLimitIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l RateLimit
		l.Set(1)
		ctx, w := watched(t.Context(), 100*time.Millisecond)
		defer w.stop()
		if err := l.wait(ctx, 1, w); err != nil {
			t.Errorf("got %v after a wait of a second, want nil", err)
		}
		cause := errors.New("enough")
		ended, cancel := context.WithCancelCause(ctx)
		cancel(cause)
		if err := l.wait(ended, 1, w); err != cause {
			t.Errorf("got %v, want the cause of the end", err)
		}
		time.Sleep(200 * time.Millisecond)
		if got := context.Cause(ctx); got != failure.ErrStalled {
			t.Errorf("the cause of silence without a wait: got %v, want ErrStalled", got)
		}
	})
}

// What is read and written at a time becomes small with the limit, down to a page.
func TestRateLimitPieces(t *testing.T) {
	for _, c := range []struct {
		limit, align               int64
		bodies                     int
		read, piece, window, usual int64
	}{
		{0, 0, 1, 0, bufferSize, 0, bufferSize},
		{80 << 20, 4096, 1, 10 << 20, bufferSize, 32 << 20, bufferSize},
		{80 << 20, 0, 20, 512 << 10, 512 << 10, 2 << 20, bufferSize},
		{80 << 20, 0, 20, 512 << 10, securePiece, 2 << 20, securePiece},
		{1_000_000, 4096, 1, 125_000, 64 << 10, 512 << 10, bufferSize},
		{10_000, 0, 1, 1250, leastPiece, leastWindow, bufferSize},
		{10_000, 64 << 10, 1, 1250, 64 << 10, leastWindow, bufferSize},
		{3, 0, 9, 1, leastPiece, leastWindow, bufferSize},
	} {
		var l RateLimit
		l.Set(c.limit)
		for range c.bodies {
			l.enter()
		}
		read, limited := l.read()
		if read != c.read || limited != (c.limit > 0) {
			t.Errorf("%+v: got reads of %d, limited %v", c, read, limited)
		}
		if got := l.piece(c.usual, c.align); got != c.piece {
			t.Errorf("%+v: got pieces of %d", c, got)
		}
		if got := l.window(); int64(got) != c.window {
			t.Errorf("%+v: got a window of %d", c, got)
		}
	}
}
