package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/settings"
)

// ticking is a clock that only Sleep and the attempts of a test advance.
type ticking struct {
	now    time.Time
	sleeps []time.Duration
}

func (c *ticking) Now() time.Time { return c.now }

func (c *ticking) Sleep(ctx context.Context, d time.Duration) error {
	c.sleeps = append(c.sleeps, d)
	c.now = c.now.Add(d)
	return context.Cause(ctx)
}

// step is an attempt that takes some time and then fails, or succeeds if err is nil.
type step struct {
	err     error
	takes   time.Duration
	headway bool
}

// play makes the attempts of script, the last of them for ever, and returns how many, the pauses,
// and the error.
func play(t *testing.T, attempts int, timeout time.Duration, script ...step) (made int, clock *ticking, err error) {
	t.Helper()
	return playAs(t, (*Client).attempts, attempts, timeout, script...)
}

// playAs is play of a question of a kind: attempts or optionally.
func playAs(t *testing.T, ask func(*Client, context.Context, string, Retrying, attempt) error,
	attempts int, timeout time.Duration, script ...step) (made int, clock *ticking, err error) {
	t.Helper()
	clock = &ticking{now: time.Unix(1e9, 0)}
	c, err := New(Options{Clock: clock, Settings: settings.Settings{
		MaxAttempts: attempts, RetryTimeout: timeout, StallTimeout: time.Hour, Client: settings.Client{Anonymous: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	err = ask(c, t.Context(), "b", nil, func(context.Context, *watch) (bool, error) {
		if made++; made > 100_000 {
			t.Fatal("no end")
		}
		s := script[min(made, len(script))-1]
		clock.now = clock.now.Add(s.takes)
		return s.headway, s.err
	})
	return made, clock, err
}

var (
	errAway      = &failure.Interrupted{Err: errors.New("away")}
	errUntrusted = fmt.Errorf("%w: x", failure.ErrUnexpected)
)

// repeat returns n times s.
func repeat(n int, s ...step) []step { return slices.Repeat(s, n) }

// TestBudgetOfAnOptionalQuestion: a question whose answer a download can do without waits for
// RetryTimeout only while no server accepts the connection. Any other outage ends it after
// MaxAttempts.
func TestBudgetOfAnOptionalQuestion(t *testing.T) {
	dial := step{err: &failure.Interrupted{Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}}
	read := step{err: &failure.Interrupted{Err: &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}}}
	away, untrusted := step{err: errAway}, step{err: errUntrusted}
	for _, c := range []struct {
		name   string
		script []step
		made   int           // 0: as many as there are in RetryTimeout
		took   time.Duration // with made == 0
	}{
		{name: "no server", script: []step{dial}, took: time.Minute},
		{name: "a connection that breaks off", script: []step{read}, made: 5},
		{name: "an outage", script: []step{away}, made: 5},
		{name: "a wrong answer", script: []step{untrusted}, made: 5},
		{name: "no server, then an outage", script: append(repeat(7, dial), away), made: 8},
		{name: "no server, then a few outages", script: append(repeat(3, dial), away), made: 5},
		{name: "an outage, then no server", script: append(repeat(4, away), dial), took: time.Minute},
		{name: "no server, then an answer", script: append(repeat(7, dial), step{}), made: 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			made, clock, err := playAs(t, (*Client).optionally, 5, time.Minute, c.script...)
			if answered := c.script[len(c.script)-1].err == nil; answered != (err == nil) || !answered && !errors.Is(err, failure.ErrRetriesExceeded) {
				t.Errorf("got %v", err)
			}
			took := clock.now.Sub(time.Unix(1e9, 0))
			if c.made > 0 && (made != c.made || took >= time.Minute) || c.made == 0 && (took != c.took || made <= 5) {
				t.Errorf("got %d attempts in %v, want %d (0: more than 5) in %v", made, took, c.made, c.took)
			}
		})
	}
}

// TestBudgetOfAnOutage: an outage ends a question after MaxAttempts and after RetryTimeout, and the
// last attempt is made when that is over.
func TestBudgetOfAnOutage(t *testing.T) {
	for range 50 { // pauses are random
		begun := time.Unix(1e9, 0)
		made, clock, err := play(t, 5, time.Minute, step{err: errAway})
		if took := clock.now.Sub(begun); !errors.Is(err, failure.ErrRetriesExceeded) || took != time.Minute || made < 12+5 {
			t.Fatalf("got %v after %v and %d attempts", err, took, made)
		}
		if text := fmt.Sprintf("after %d attempts in 1m0s without headway", made); !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q", err, text)
		}
		if longest := slices.Max(clock.sleeps); longest > 5*time.Second {
			t.Errorf("got a pause of %v", longest)
		}

		// The attempts take time, too: five stalls are longer than RetryTimeout.
		made, _, err = play(t, 5, time.Minute, step{err: errAway, takes: 20 * time.Second})
		if !errors.Is(err, failure.ErrRetriesExceeded) || made != 5 {
			t.Errorf("stalls: got %v after %d attempts, want 5", err, made)
		}
		made, _, err = play(t, 3, 0, step{err: errAway})
		if !errors.Is(err, failure.ErrRetriesExceeded) || made != 3 || !strings.Contains(err.Error(), "after 3 attempts without headway") {
			t.Errorf("RetryTimeout=0: got %v after %d attempts, want 3", err, made)
		}
		made, clock, err = play(t, 1000, time.Second, step{err: errAway})
		if !errors.Is(err, failure.ErrRetriesExceeded) || made != 1000 || clock.now.Sub(begun) < time.Minute {
			t.Errorf("MaxAttempts=1000: got %v after %d attempts and %v", err, made, clock.now.Sub(begun))
		}
	}
}

// TestBudgetOutlastsAnOutage: whatever the pauses come to, an outage of RetryTimeout's length less
// the last attempt is outlasted.
func TestBudgetOutlastsAnOutage(t *testing.T) {
	for _, outage := range []time.Duration{500 * time.Millisecond, time.Second, 5 * time.Second, 30 * time.Second, 59 * time.Second} {
		for range 50 {
			clock := &ticking{now: time.Unix(1e9, 0)}
			end := clock.now.Add(outage)
			c, err := New(Options{Clock: clock, Settings: settings.Settings{
				MaxAttempts: 5, RetryTimeout: time.Minute, StallTimeout: time.Hour, Client: settings.Client{Anonymous: true},
			}})
			if err != nil {
				t.Fatal(err)
			}
			err = c.attempts(t.Context(), "b", nil, func(context.Context, *watch) (bool, error) {
				if clock.now.Before(end) {
					return false, errAway
				}
				return true, nil
			})
			if err != nil {
				t.Errorf("outage=%v: got %v", outage, err)
			}
		}
	}
}

// TestBudgetOfOtherErrors: what no outage explains ends after MaxAttempts, or at once.
func TestBudgetOfOtherErrors(t *testing.T) {
	final := errors.New("final")
	for _, c := range []struct {
		name   string
		script []step
		want   int
		is     error
	}{
		{"untrusted", []step{{err: errUntrusted}}, 5, failure.ErrRetriesExceeded},
		{"final", []step{{err: final}}, 1, final},
		{"final, with headway", []step{{err: final, headway: true}}, 1, final},
		{"final in an outage", append(repeat(7, step{err: errAway}), step{err: final}), 8, final},
		// A gateway gives wrong answers while the server is away.
		{"untrusted in an outage", append(repeat(7, step{err: errAway}), step{err: errUntrusted}), 7 + 5, failure.ErrRetriesExceeded},
		{"untrusted before an outage", append(repeat(4, step{err: errUntrusted}), append(repeat(7, step{err: errAway}), step{err: errUntrusted})...), 4 + 7 + 1, failure.ErrRetriesExceeded},
		{"errUntrusted, then success", append(repeat(4, step{err: errUntrusted}), step{}), 5, nil},
	} {
		made, _, err := play(t, 5, time.Minute, c.script...)
		if made != c.want || !errors.Is(err, c.is) {
			t.Errorf("%s: got %v after %d attempts, want %v after %d", c.name, err, made, c.is, c.want)
		}
	}
}

// TestBudgetAfterHeadway: headway resets the attempts and the time.
func TestBudgetAfterHeadway(t *testing.T) {
	script := append(repeat(20, append(repeat(4, step{err: errUntrusted}), step{err: errUntrusted, headway: true})...), step{})
	if made, _, err := play(t, 5, 0, script...); made != 101 || err != nil {
		t.Errorf("got %v after %d attempts, want success after 101", err, made)
	}
	script = append(repeat(5, append(repeat(5, step{err: errAway, takes: 11 * time.Second}), step{err: errAway, takes: time.Hour, headway: true})...), step{})
	if made, _, err := play(t, 6, time.Minute, script...); made != 31 || err != nil {
		t.Errorf("got %v after %d attempts, want success after 31", err, made)
	}
}

// TestPauseEndsWithTheBudget: only where the time decides.
func TestPauseEndsWithTheBudget(t *testing.T) {
	for range 200 {
		_, clock, _ := play(t, 2, 10*time.Second, step{err: errAway, takes: 9 * time.Second})
		if len(clock.sleeps) != 1 || clock.sleeps[0] > 250*time.Millisecond {
			t.Fatalf("got pauses %v", clock.sleeps)
		}
		_, clock, _ = play(t, 2, 10*time.Second, step{err: errAway, takes: 10*time.Second - 1})
		if len(clock.sleeps) != 1 || clock.sleeps[0] > 1 {
			t.Fatalf("RetryTimeout decides: got pauses %v, want no longer than 1ns", clock.sleeps)
		}
	}
	// After 2 s MaxAttempts decides, and the pauses go on growing.
	_, clock, _ := play(t, 40, 2*time.Second, step{err: errAway})
	if longest := slices.Max(clock.sleeps); longest < 2*time.Second {
		t.Errorf("MaxAttempts decides: got pauses of up to %v", longest)
	}
}

// TestSystemClock: Hurry divides pauses, and with them the time that has passed.
func TestSystemClock(t *testing.T) {
	for _, hurry := range []int{0, 1, 1000} {
		c := newSystem(hurry)
		begun, before := c.Now(), time.Now()
		d := time.Duration(max(1, hurry)) * 20 * time.Millisecond
		if err := c.Sleep(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		took, passed := time.Since(before), c.Now().Sub(begun)
		if took < 20*time.Millisecond || passed < d {
			t.Errorf("hurry=%d: got %v for a pause of %v, and %v by the clock", hurry, took, d, passed)
		}
		if hurry == 1000 && took >= 20*time.Second {
			t.Errorf("hurry=%d: got %v for a pause of %v", hurry, took, d)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(failure.ErrCanceled)
	if err := newSystem(0).Sleep(ctx, time.Hour); err != failure.ErrCanceled {
		t.Errorf("got %v, want the context's cause", err)
	}
}
