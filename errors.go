package processpool

import (
	"fmt"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/keypath"
)

// What DownloadFile can refuse, or a caller ask for.
var (
	// ErrShutdown: the Downloader has been shut down, or is being.
	ErrShutdown = failure.ErrShutdown
	// ErrCanceled: Cancel was called or the context ended. It is context.Canceled
	// too, for errors.Is, and the context's own cause where there is one.
	ErrCanceled = failure.ErrCanceled
	// ErrBusy: another download with DownloadOptions.Resume goes to the same file, of
	// this process or of another.
	ErrBusy = failure.ErrBusy
)

// What is wrong with the object.
var (
	// ErrObjectChanged: the object was overwritten while it was downloaded, as its
	// ETag or its size shows.
	ErrObjectChanged = failure.ErrObjectChanged
	// ErrSizeMismatch: DownloadOptions.ExpectedSize is not the object's size.
	ErrSizeMismatch = failure.ErrSizeMismatch
	// ErrChecksumMismatch: every byte arrived, and they are not the object's.
	ErrChecksumMismatch = failure.ErrChecksumMismatch
	// ErrUnverifiable: VerifyRequired was asked, and S3 keeps nothing that could
	// prove the bytes.
	ErrUnverifiable = failure.ErrUnverifiable
	// ErrUnsafeKey: DownloadDirectory found no place for the key below the directory
	// that is its own: it would lead out, or replace what is another's.
	ErrUnsafeKey = keypath.ErrUnsafe
)

// What went wrong on the way.
var (
	// ErrStalled: the connection delivered nothing for Config.StallTimeout, time
	// after time.
	ErrStalled = failure.ErrStalled
	// ErrWorkerLost: a range has cost three workers their lives, or no worker could
	// be started.
	ErrWorkerLost = failure.ErrWorkerLost
	// ErrRetriesExceeded: Config.MaxAttempts in a row made no headway. The last
	// one's error is wrapped, too.
	ErrRetriesExceeded = failure.ErrRetriesExceeded
)

// TransferError is what every failed Result returns. Through it errors.Is finds the
// errors above, those of io/fs and of package syscall (syscall.ENOSPC), and
// errors.As smithy.APIError, the modelled errors of the SDK's s3/types and
// *awshttp.ResponseError, though they were met in another process.
type TransferError struct {
	Op       string // the step that failed: "check", "head", "get", "create", "verify", "publish", ...
	Bucket   string
	Key      string
	Filename string
	Err      error
}

func (e *TransferError) Error() string {
	return fmt.Sprintf("processpool: %s s3://%s/%s to %s: %v", e.Op, e.Bucket, e.Key, e.Filename, e.Err)
}

func (e *TransferError) Unwrap() error { return e.Err }
