package pool

import (
	"context"
	"math/rand/v2"
	"time"
)

// The rules for a seat whose worker does not start.
const (
	startTries   = 3 // in a row, before the seat is parked
	firstBackoff = 50 * time.Millisecond
	parkedFor    = 5 * time.Second // while there are workers in other seats
	maxBackoff   = 5 * time.Second // between workers that die before they have finished a job
)

// occupy fills one seat until the pool is stopped.
func (p *Pool) occupy(seat int) {
	fruitless := 0 // proven workers in a row that have not finished a job
	for failed := 0; p.stopped.Err() == nil; {
		end := p.turns.take(p.stopped)
		w, err := p.startWorker(seat)
		end()
		if err == nil {
			begun := time.Now()
			p.events <- Up{w}
			lost := w.work()
			p.events <- Down{w, lost}
			if p.stopped.Err() != nil {
				return
			}
			p.options.Logger.Warn("worker lost", "worker", w.pid, "error", unprefixed(lost))
			if w.proven() {
				failed = 0
				// The first is replaced at once. Workers that die of whatever they begin would
				// otherwise be started as fast as the machine can.
				if w.jobs.finished() || time.Since(begun) > maxBackoff {
					fruitless = 0
				} else if fruitless++; fruitless > 1 {
					sleep(p.stopped, backoff(fruitless-1))
				}
				continue
			}
			err = lost // it ended before it did anything: that counts as a failed start
		}
		if p.stopped.Err() != nil {
			return
		}
		p.options.Logger.Warn("worker did not start", "seat", seat, "error", unprefixed(err))
		if failed++; failed >= startTries || hopeless(err) {
			p.park(err)
			failed = 0
			continue
		}
		sleep(p.stopped, backoff(failed))
	}
}

// park keeps a seat empty for parkedFor, or until Revive if all open seats are parked.
func (p *Pool) park(err error) {
	p.mu.Lock()
	p.mu.parked++
	broken, revived := p.mu.parked == p.mu.open, p.mu.revived
	p.mu.Unlock()
	if broken {
		p.events <- Broken{err}
	}
	timer := time.NewTimer(parkedFor)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			if p.unpark(revived) {
				return
			}
		case <-revived:
			return
		case <-p.stopped.Done():
			return
		}
	}
}

// unpark reports whether a seat that was parked long enough may try again: not while all seats are
// parked, for then the pool waits for Revive. revived is the channel of the time when it was parked.
func (p *Pool) unpark(revived chan struct{}) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.revived != revived {
		return true // Revive has unparked it
	}
	if p.mu.parked == p.mu.open {
		return false
	}
	p.mu.parked--
	return true
}

// sleep returns after d, or when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// backoff returns the pause after a number of failures in a row. Half of it is random, so that
// the seats do not start their workers all at once.
func backoff(failed int) time.Duration {
	d := min(firstBackoff<<min(failed, 10), maxBackoff)
	return d/2 + rand.N(d/2)
}
