// Package failure defines the errors of a download: the sentinels, the form in which an error
// crosses from a worker to the pool, and the decision which errors to retry.
package failure

import (
	"context"
	"errors"
	"io/fs"
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

	ErrNotModified       = errors.New("the object has not changed")
	ErrExists      error = existsError{}

	ErrStalled         = errors.New("the connection delivered nothing for too long")
	ErrWorkerLost      = errors.New("worker process lost")
	ErrRetriesExceeded = errors.New("no attempts left")
)

// canceledError also matches context.Canceled.
type canceledError struct{}

func (canceledError) Error() string        { return "the download was canceled" }
func (canceledError) Is(target error) bool { return target == context.Canceled }

// existsError also matches fs.ErrExist.
type existsError struct{}

func (existsError) Error() string        { return "the file exists" }
func (existsError) Is(target error) bool { return target == fs.ErrExist }

// ErrUnexpected marks a response that does not fit the request: a 200 to a Range request, another
// range, or a body of another length. Such a response is never used as data; the request is
// retried.
var ErrUnexpected = errors.New("unexpected answer")

// names maps the names on the wire to the sentinels that a worker can return.
var names = map[string]error{
	"canceled":     ErrCanceled,
	"changed":      ErrObjectChanged,
	"size":         ErrSizeMismatch,
	"checksum":     ErrChecksumMismatch,
	"unverifiable": ErrUnverifiable,
	"unmodified":   ErrNotModified,
	"stalled":      ErrStalled,
	"retries":      ErrRetriesExceeded,
	"unexpected":   ErrUnexpected,
	"deadline":     context.DeadlineExceeded,
}
