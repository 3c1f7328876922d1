// Package failure knows every way in which a download fails: the sentinel errors,
// the form in which an error crosses from a worker to the pool, and what is
// worth another attempt.
package failure

import (
	"context"
	"errors"
)

// The sentinels, as package processpool documents and exports them.
var (
	ErrShutdown = errors.New("the downloader has been shut down")

	ErrCanceled error = canceledError{}

	ErrBusy = errors.New("another download to this file is under way")

	ErrObjectChanged    = errors.New("the object was changed while it was downloaded")
	ErrSizeMismatch     = errors.New("the object has another size than expected")
	ErrChecksumMismatch = errors.New("the bytes received do not have the object's checksum")
	ErrUnverifiable     = errors.New("S3 keeps nothing that could verify the object")

	ErrStalled         = errors.New("the connection delivered nothing for too long")
	ErrWorkerLost      = errors.New("worker process lost")
	ErrRetriesExceeded = errors.New("no attempts left")
)

// canceledError is context.Canceled too, for errors.Is.
type canceledError struct{}

func (canceledError) Error() string        { return "the download was canceled" }
func (canceledError) Is(target error) bool { return target == context.Canceled }

// ErrUnexpected marks an answer that does not fit the request: a 200 to a Range,
// another range, a body of another length. Such an answer is never data; the
// request is made again.
var ErrUnexpected = errors.New("unexpected answer")

// names are the sentinels that a worker can meet, by their name on the wire.
var names = map[string]error{
	"canceled":     ErrCanceled,
	"changed":      ErrObjectChanged,
	"size":         ErrSizeMismatch,
	"checksum":     ErrChecksumMismatch,
	"unverifiable": ErrUnverifiable,
	"stalled":      ErrStalled,
	"retries":      ErrRetriesExceeded,
	"unexpected":   ErrUnexpected,
	"deadline":     context.DeadlineExceeded,
}
