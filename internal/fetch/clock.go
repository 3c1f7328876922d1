package fetch

import (
	"context"
	"time"
)

// Clock tells the time and waits. Its methods may be called concurrently.
type Clock interface {
	Now() time.Time
	// Sleep returns nil after d, or the cause of ctx when that ends first.
	Sleep(ctx context.Context, d time.Duration) error
}

// system is the clock of this machine. Its time passes hurry times as fast.
type system struct {
	begun time.Time
	hurry time.Duration
}

func newSystem(hurry int) Clock {
	return system{begun: time.Now(), hurry: time.Duration(max(1, hurry))}
}

func (s system) Now() time.Time { return s.begun.Add(time.Since(s.begun) * s.hurry) }

func (s system) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d / s.hurry)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
