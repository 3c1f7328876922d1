package failure

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// tolerance is how far a clock may be off before the SDK takes that for the reason of a refusal.
// S3 itself refuses from 15 minutes on
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html).
const tolerance = 4 * time.Minute

// skewed reports whether a request was refused because it was signed with a wrong time: S3 says
// so, or the time of its 403 is another. A HEAD's 403 has no code.
func skewed(err error) bool {
	switch codeOf(err) {
	case "RequestTimeTooSkewed", "RequestInTheFuture":
		return true
	}
	var probable interface{ RetryableError() bool } // the SDK's: another code, and the same reason
	if errors.As(err, &probable) && probable.RetryableError() && status(err) == http.StatusForbidden {
		return true
	}
	r := response(err)
	if r == nil || r.StatusCode != http.StatusForbidden || r.Request == nil {
		return false
	}
	date, known := dateOf(r)
	signed, e := time.Parse("20060102T150405Z", r.Request.Header.Get("X-Amz-Date"))
	return known && e == nil && date.Sub(signed).Abs() > tolerance
}

// NameClock adds to a refusal how far this machine's clock is off, if that may be the reason: S3
// says so, or it does not tell the reason. It returns other errors as they are.
func NameClock(err error) error {
	off := clockOff(err)
	switch {
	case off > tolerance && (skewed(err) || status(err) == http.StatusForbidden && bare(codeOf(err))):
		return fmt.Errorf("the clock of this machine is off by %v: %w", off.Round(time.Minute), err)
	case skewed(err):
		return fmt.Errorf("the clock of this machine is off: %w", err)
	}
	return err
}

// clockOff returns how far this machine's clock is from that of the server that has just answered.
func clockOff(err error) time.Duration {
	if r := response(err); r != nil {
		if date, known := dateOf(r); known {
			return time.Until(date).Abs()
		}
	}
	return 0
}

// dateOf returns the time at which an answer was made. That of a cache is no one's present.
func dateOf(r *http.Response) (t time.Time, known bool) {
	if r.Header.Get("Age") != "" {
		return time.Time{}, false
	}
	t, err := http.ParseTime(r.Header.Get("Date"))
	return t, err == nil
}
