package failure_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
)

func TestWait(t *testing.T) {
	const ms = time.Millisecond
	busy, away := answer(503, "SlowDown"), answer(502, "")
	idle := &failure.Idle{Err: sending(io.EOF)}
	now := time.Now().UTC()
	in := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, c := range []struct {
		name     string
		failed   int
		err      error
		min, max time.Duration
	}{
		{"not now, failed=1", 1, away, 0, 250 * ms},
		{"not now, failed=2", 2, away, 0, 500 * ms},
		{"not now, failed=5", 5, away, 0, 4000 * ms},
		{"not now, failed=6", 6, away, 0, 5000 * ms},
		{"not now, failed=1000000", 1000000, away, 0, 5000 * ms},
		{"failed=0: with headway", 0, away, 0, 250 * ms},
		{"failed=-1", -1, away, 0, 250 * ms},
		{"network", 3, &failure.Interrupted{Err: io.ErrUnexpectedEOF}, 0, 1000 * ms},
		{"stalled", 1, failure.ErrStalled, 0, 250 * ms},
		{"name", 2, &failure.NameLost{Err: io.EOF}, 0, 500 * ms},
		{"untrusted", 1, failure.ErrUnexpected, 0, 50 * ms},
		{"untrusted, failed=3", 3, failure.ErrUnexpected, 0, 200 * ms},
		{"expired credentials", 2, answer(400, "ExpiredToken"), 0, 100 * ms},
		{"final", 3, errors.New("x"), 0, 0},

		{"idle", 1, idle, 0, 0},
		{"idle, after headway", 0, idle, 0, 0},
		{"idle again", 2, idle, 0, 500 * ms},

		{"throttled", 1, busy, 0, 500 * ms},
		{"throttled, failed=3", 3, busy, 0, 2000 * ms},
		{"throttled, failed=64", 64, busy, 0, 20_000 * ms},
		{"429", 1, answer(429, ""), 0, 500 * ms},
		{"throttled in a chain", 1, fmt.Errorf("x: %w", busy), 0, 500 * ms},

		{"Retry-After=3", 1, answer(503, "SlowDown", "Retry-After", "3"), 3000 * ms, 3000 * ms},
		{"Retry-After=3 with a 429", 1, answer(429, "", "Retry-After", "3"), 3000 * ms, 3000 * ms},
		{"Retry-After=3 with a 502", 1, answer(502, "", "Retry-After", "3"), 3000 * ms, 3000 * ms},
		{"Retry-After=3 of a page", 1, fmt.Errorf("x: %w", answer(520, "", "Retry-After", "3")), 3000 * ms, 3000 * ms},
		{"Retry-After=0", 1, answer(500, "", "Retry-After", "0"), 0, 250 * ms},
		{"Retry-After=100000", 1, answer(503, "", "Retry-After", "100000"), 20_000 * ms, 20_000 * ms},
		{"Retry-After=9999999999999999999", 1, answer(500, "", "Retry-After", "9999999999999999999"), 20_000 * ms, 20_000 * ms},
		{"Retry-After=-1", 1, answer(500, "", "Retry-After", "-1"), 0, 250 * ms},
		{"Retry-After=soon", 1, answer(500, "", "Retry-After", "soon"), 0, 250 * ms},
		{"Retry-After=date in the past", 1, answer(500, "", "Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"), 0, 250 * ms},
		{"Retry-After=date far off", 1, answer(500, "", "Retry-After", in(time.Hour)), 20_000 * ms, 20_000 * ms},
		// The date is the server's: an hour's difference between the clocks does not count.
		{"Retry-After=date, Date", 1, answer(500, "", "Retry-After", in(time.Hour+4*time.Second), "Date", in(time.Hour)), 4000 * ms, 4000 * ms},
		{"x-amz-retry-after=1500", 1, answer(500, "", "X-Amz-Retry-After", "1500"), 1500 * ms, 1500 * ms},
		{"both", 1, answer(500, "", "X-Amz-Retry-After", "1500", "Retry-After", "9"), 1500 * ms, 1500 * ms},
		{"Retry-After below the step", 9, answer(500, "", "Retry-After", "1"), 1000 * ms, 5000 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			low, high := time.Duration(1<<63-1), time.Duration(0)
			for range 2000 {
				d := failure.Wait(c.failed, c.err)
				low, high = min(low, d), max(high, d)
			}
			if low < c.min || high > c.max {
				t.Errorf("got waits of %v to %v, want %v to %v", low, high, c.min, c.max)
			}
			// All of it is random, so that workers do not retry at the same time.
			if spread := c.max - c.min; high-low < spread/2 {
				t.Errorf("got waits of %v to %v: they hardly differ", low, high)
			}
		})
	}
}
