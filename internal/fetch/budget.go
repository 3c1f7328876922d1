package fetch

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
)

// budget is how long a question may go on without headway: a number of attempts in a row and,
// where an outage is the reason, a time besides. Headway begins it anew.
type budget struct {
	attempts int
	timeout  time.Duration
	optional bool // only the lack of a server is worth the time
	clock    Clock

	failed int       // attempts in a row without headway
	others int       // those of them that no outage explains
	since  time.Time // the last headway, or the beginning
}

func (c *Client) newBudget() *budget {
	return &budget{attempts: c.maxAttempts, timeout: c.retryTimeout, clock: c.clock, since: c.clock.Now()}
}

// count counts an attempt that failed.
func (b *budget) count(class failure.Class, headway bool) {
	switch {
	case headway:
		b.failed, b.others, b.since = 0, 0, b.clock.Now()
	case class.Outage():
		b.failed++
	default:
		b.failed++
		b.others++
	}
}

// left returns how much of the time is left; it is negative after its end.
func (b *budget) left() time.Duration { return b.timeout - b.clock.Now().Sub(b.since) }

// spent reports whether there may be no other attempt after one that failed with an error of this
// class. A wrong answer within an outage does not end it: a gateway gives such answers, too.
func (b *budget) spent(class failure.Class, err error) bool {
	if b.failed < b.attempts {
		return false
	}
	if b.optional && !unreachable(err) {
		return true
	}
	return b.left() <= 0 || !class.Outage() && b.others >= b.attempts
}

// unreachable reports whether no server accepted the connection.
func unreachable(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// pause returns how long to wait before the next attempt. If the time decides about the end, the
// last attempt is made when it is over, and not later.
func (b *budget) pause(class failure.Class, err error) time.Duration {
	wait := failure.Wait(b.failed, err)
	if left := b.left(); class.Outage() && b.failed+1 >= b.attempts && left > 0 {
		wait = min(wait, left)
	}
	return wait
}

// exhausted returns the error of a question whose last attempt failed with err.
func (b *budget) exhausted(err error) error {
	plural, during := "s", ""
	if b.failed == 1 {
		plural = ""
	}
	if b.failed > b.attempts {
		during = fmt.Sprintf(" in %v", b.clock.Now().Sub(b.since).Round(time.Second))
	}
	return fmt.Errorf("%w after %d attempt%s%s without headway: %w", failure.ErrRetriesExceeded, b.failed, plural, during, err)
}
