package failure

import "time"

// Class says what an error means for the question that failed with it: whether to ask again, how
// often and for how long, and after which pauses. ClassOf finds an error's class, and rules has
// what follows from it. No other code decides what is retried.
type Class string

const (
	// Final errors do not heal: a missing object, a refusal, a bad certificate, a full disk, an
	// unknown host.
	Final Class = "final"
	// Throttling means that the server asks for fewer requests.
	Throttling Class = "throttling"
	// NotNow means that the server, or a gateway before it, cannot answer at present.
	NotNow Class = "not now"
	// Network means that the connection was refused, broke off, fell silent, or never came up.
	Network Class = "network"
	// Name means that the resolver failed, or lost a name that it knew before.
	Name Class = "name"
	// Clock means that the request was refused because this machine's clock is off. The SDK
	// corrects its clock by the refusal.
	Clock Class = "clock"
	// Credentials means that the credentials have expired.
	Credentials Class = "credentials"
	// LostWorker means that the worker process died.
	LostWorker Class = "lost worker"
	// Untrusted means an answer that does not fit the request.
	Untrusted Class = "untrusted"
)

// limit says when to stop asking.
type limit int

const (
	atOnce        limit = iota // the first failure is the last
	afterOneMore               // one more attempt, at once
	afterAttempts              // MaxAttempts in a row
	afterOutage                // MaxAttempts in a row, and RetryTimeout
)

// rules is the table that docs/retries.md shows.
var rules = map[Class]struct {
	limit     limit
	first     time.Duration // the step of the first pause; it doubles with each failure
	most      time.Duration // the longest step
	kind      Kind
	temporary bool // worth another download later
}{
	Final:       {limit: atOnce, kind: KindOther},
	Throttling:  {afterOutage, 500 * time.Millisecond, 20 * time.Second, KindThrottled, true},
	NotNow:      {afterOutage, 250 * time.Millisecond, 5 * time.Second, KindOther, true},
	Network:     {afterOutage, 250 * time.Millisecond, 5 * time.Second, KindConnection, true},
	Name:        {afterOutage, 250 * time.Millisecond, 5 * time.Second, KindConnection, true},
	Clock:       {limit: afterOneMore, kind: KindOther},
	Credentials: {afterAttempts, 50 * time.Millisecond, 5 * time.Second, KindOther, false},
	LostWorker:  {limit: atOnce, kind: KindOther, temporary: true}, // the pool hands its jobs out again
	Untrusted:   {afterAttempts, 50 * time.Millisecond, 5 * time.Second, KindUnexpected, true},
}

// Retryable reports whether another attempt may succeed.
func (c Class) Retryable() bool { return rules[c].limit != atOnce }

// Outage reports whether an outage of the server or of the network produces such errors. They are
// retried for a time, and not only for a number of attempts.
func (c Class) Outage() bool { return rules[c].limit == afterOutage }

// Retryable reports whether another attempt may succeed after one that failed with err.
func Retryable(err error) bool { return ClassOf(err).Retryable() }

// Temporary reports whether a download that failed with err is worth another try later.
func Temporary(err error) bool { return rules[ClassOf(err)].temporary }
