package failure

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Local is an error of the local file system. It is not retried.
type Local struct{ Err error }

func (e *Local) Error() string { return e.Err.Error() }
func (e *Local) Unwrap() error { return e.Err }

// Interrupted is an error while reading a response body.
type Interrupted struct{ Err error }

func (e *Interrupted) Error() string { return "body interrupted: " + e.Err.Error() }
func (e *Interrupted) Unwrap() error { return e.Err }

// ClassOf returns the class of err; Final for nil, and for errors that it does not know. Errors of
// this machine come first, because others may wrap them; then what an answer says; then the
// network. An error from another process has the class that it had there.
func ClassOf(err error) Class {
	var remote *remoteError
	switch {
	case err == nil, local(err):
		return Final
	case errors.Is(err, ErrWorkerLost):
		return LostWorker
	case errors.As(err, &remote) && remote.class != "":
		return remote.class
	case errors.Is(err, ErrStalled):
		return Network
	case errors.Is(err, ErrUnexpected):
		if c, _ := ofNetwork(err); c == Network {
			return Network // the answer broke off: what is missing did not fit
		}
		return Untrusted
	case errors.Is(err, context.Canceled), errors.Is(err, ErrObjectChanged), errors.Is(err, ErrSizeMismatch),
		hopeless(err):
		return Final
	}
	if c := ofAnswer(err); c != Final {
		return c
	}
	if c, known := ofNetwork(err); known {
		return c
	}
	if retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary {
		return NotNow // a kind of error that a later version of the SDK adds
	}
	return Final
}

// local reports whether err is an error of a file. Network errors have an os.SyscallError.
func local(err error) bool {
	var local *Local
	var path *fs.PathError
	var link *os.LinkError
	return errors.As(err, &local) || errors.As(err, &path) || errors.As(err, &link)
}
