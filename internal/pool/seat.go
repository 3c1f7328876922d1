package pool

import (
	"math/rand/v2"
	"time"
)

// The rules for a seat whose worker does not start.
const (
	startTries   = 3 // in a row, before the seat is parked
	firstBackoff = 50 * time.Millisecond
	parkedFor    = 5 * time.Second // while there are workers in other seats
)

// occupy fills one seat until the pool is stopped.
func (p *Pool) occupy(seat int) {
	for failed := 0; p.stopped.Err() == nil; {
		w, err := p.startWorker(seat)
		if err == nil {
			p.events <- Up{w}
			lost := w.work()
			p.events <- Down{w, lost}
			if p.stopped.Err() != nil {
				return
			}
			p.options.Logger.Warn("worker lost", "worker", w.pid, "error", lost)
			if w.proven() {
				failed = 0
				continue
			}
			err = lost // it ended before it did anything: that counts as a failed start
		}
		if p.stopped.Err() != nil {
			return
		}
		p.options.Logger.Warn("worker did not start", "seat", seat, "error", err)
		if failed++; failed >= startTries {
			p.park(err)
			failed = 0
			continue
		}
		p.sleep(backoff(failed))
	}
}

// park keeps a seat empty for parkedFor, or until Revive if all seats are parked.
func (p *Pool) park(err error) {
	p.mu.Lock()
	p.mu.parked++
	broken, revived := p.mu.parked == p.options.Processes, p.mu.revived
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.mu.parked--
		p.mu.Unlock()
	}()
	var timeout <-chan time.Time
	if broken {
		p.events <- Broken{err}
	} else {
		timer := time.NewTimer(parkedFor)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-timeout:
	case <-revived:
	case <-p.stopped.Done():
	}
}

func (p *Pool) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.stopped.Done():
	}
}

// backoff returns the pause after a number of failed starts in a row. Half of it is random, so that
// the seats do not start their workers all at once.
func backoff(failed int) time.Duration {
	d := firstBackoff << failed
	return d/2 + rand.N(d/2)
}
