package failure

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// MaxWait is the longest that Wait returns: as long as the longest step of rules, and the most that
// a server can ask for.
const MaxWait = 20 * time.Second

// Wait returns how long to wait after the given number of failures in a row, the last of which was
// err: a random time up to a step that doubles with each failure ("full jitter",
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), but as long as the
// server asks for. The first attempt after a connection that was closed while idle goes at once.
func Wait(failed int, err error) time.Duration {
	asked := Asked(err)
	var idle *Idle
	if failed <= 1 && errors.As(err, &idle) {
		return asked
	}
	r := rules[ClassOf(err)]
	step := min(r.first<<min(max(failed, 1)-1, 20), r.most)
	return max(rand.N(step+1), asked)
}

// Asked returns how long the server asks to wait, 0 if it does not, MaxWait at most.
func Asked(err error) time.Duration { return min(retryAfter(err), MaxWait) }

// retryAfter returns the value of the headers x-amz-retry-after, which the SDK defines in
// milliseconds, or Retry-After, which has seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(err error) time.Duration {
	r := response(err)
	if r == nil {
		return 0
	}
	if ms, ok := parseDelay(r.Header.Get("X-Amz-Retry-After")); ok {
		return time.Duration(ms) * time.Millisecond
	}
	text := r.Header.Get("Retry-After")
	if seconds, ok := parseDelay(text); ok {
		return time.Duration(seconds) * time.Second
	}
	at, e := http.ParseTime(text)
	if e != nil {
		return 0
	}
	if date, known := dateOf(r); known { // of the same clock
		return max(0, at.Sub(date))
	}
	return max(0, time.Until(at))
}

// parseDelay parses digits. A number that is too large becomes the largest.
func parseDelay(text string) (n uint64, ok bool) {
	n, err := strconv.ParseUint(text, 10, 31)
	return n, err == nil || errors.Is(err, strconv.ErrRange)
}
