package failure

import "errors"

// Kind classifies the failure of a retried attempt, for statistics.
type Kind string

const (
	KindThrottled  Kind = "throttled"  // S3 asked for a lower request rate
	KindStalled    Kind = "stalled"    // the connection delivered nothing for too long
	KindConnection Kind = "connection" // not established, or interrupted
	KindUnexpected Kind = "unexpected" // a response that does not fit the request
	KindOther      Kind = "other"      // S3's own errors, and expired credentials
)

// KindOf returns the Kind of err, which must be Retryable.
func KindOf(err error) Kind {
	if errors.Is(err, ErrStalled) {
		return KindStalled
	}
	return rules[ClassOf(err)].kind
}
