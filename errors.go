package processpool

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/keypath"
)

// Errors that refuse a download, or that the caller asks for.
var (
	// ErrShutdown means that Shutdown has been called.
	ErrShutdown = failure.ErrShutdown
	// ErrCanceled means that Cancel was called or that the context ended. For errors.Is
	// it is context.Canceled too, and the context's own cause where there is one.
	ErrCanceled = failure.ErrCanceled
	// ErrBusy means that another download with DownloadOptions.Resume writes to the same
	// file, in this process or in another.
	ErrBusy = failure.ErrBusy
)

// Errors of the object.
var (
	// ErrObjectChanged means that the object was overwritten during the download, as its
	// ETag or its size shows.
	ErrObjectChanged = failure.ErrObjectChanged
	// ErrSizeMismatch means that DownloadOptions.ExpectedSize is not the object's size.
	ErrSizeMismatch = failure.ErrSizeMismatch
	// ErrChecksumMismatch means that every byte arrived, and that they are not the
	// object's, or not those of DownloadOptions.Expect.
	ErrChecksumMismatch = failure.ErrChecksumMismatch
	// ErrUnverifiable means that VerifyRequired was asked for, and that S3 keeps nothing
	// that could verify the bytes, and no digest was expected either.
	ErrUnverifiable = failure.ErrUnverifiable
	// ErrNotModified means that the object has the ETag of DownloadOptions.IfNoneMatch.
	ErrNotModified = failure.ErrNotModified
	// ErrExists means that DownloadOptions.NoClobber was asked for, and that the destination exists.
	// For errors.Is it is fs.ErrExist too.
	ErrExists = failure.ErrExists
	// ErrUnsafeKey means that DownloadDirectory found no file name of its own for the
	// key: the file would be outside the directory, or would replace another key's.
	ErrUnsafeKey = keypath.ErrUnsafe
)

// Errors on the way.
var (
	// ErrStalled means that the connection delivered nothing for Config.StallTimeout, in
	// one attempt after another.
	ErrStalled = failure.ErrStalled
	// ErrWorkerLost means that a range has cost three workers, or that no worker could be
	// started.
	ErrWorkerLost = failure.ErrWorkerLost
	// ErrRetriesExceeded means that Config.MaxAttempts attempts in a row made no headway
	// and, in an outage, that none was made for Config.RetryTimeout. The last attempt's
	// error is wrapped too.
	ErrRetriesExceeded = failure.ErrRetriesExceeded
)

// The steps of a download: the values of TransferError.Op.
const (
	OpCheck   = failure.OpCheck   // "check": the arguments, the destination, or the file name of a key
	OpStart   = failure.OpStart   // "start": the start of the pool, or a download after Shutdown
	OpQueue   = failure.OpQueue   // "queue": the download had not begun
	OpHead    = failure.OpHead    // "head": HeadObject
	OpList    = failure.OpList    // "list": ListObjectsV2
	OpOpen    = failure.OpOpen    // "open": opening the partial file
	OpCreate  = failure.OpCreate  // "create": creating the temporary file, or a directory
	OpGet     = failure.OpGet     // "get": GetObject, and writing its bytes
	OpRead    = failure.OpRead    // "read": reading back what an earlier download has left, or the complete file
	OpVerify  = failure.OpVerify  // "verify": comparing the bytes with what S3 keeps, and with what is expected
	OpSync    = failure.OpSync    // "sync": bringing the file, or its name, to stable storage
	OpPublish = failure.OpPublish // "publish": the rename
	OpChtimes = failure.OpChtimes // "chtimes": setting the file's modification time
)

// TransferError is the error of every failed Result. Through it errors.Is finds the
// errors above, those of io/fs and those of package syscall, such as syscall.ENOSPC; and
// errors.As finds smithy.APIError, the modelled errors of the SDK's s3/types and
// *awshttp.ResponseError. That they occurred in another process makes no difference.
type TransferError struct {
	Op       string // the step that failed: OpCheck, OpHead, OpGet, ...
	Bucket   string
	Key      string
	Filename string
	Err      error
}

func (e *TransferError) Error() string { return "processpool: " + e.text() }

func (e *TransferError) text() string {
	return fmt.Sprintf("%s s3://%s/%s to %s: %s",
		e.Op, name(e.Bucket), name(e.Key), name(e.Filename), plain(fmt.Sprint(e.Err)))
}

// name returns a name as it is, or quoted if it has characters that a terminal would act on.
func name(s string) string {
	if isPlain(s) {
		return s
	}
	return strconv.Quote(s)
}

// plain returns a text with the characters escaped that a terminal would act on, but for line ends and
// tabs. An error can hold what a server has sent, or the name of a file.
func plain(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) || r == '\n' || r == '\t' {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

func isPlain(s string) bool {
	for _, r := range s {
		if !strconv.IsPrint(r) || r == unicode.ReplacementChar {
			return false
		}
	}
	return true
}

func (e *TransferError) Unwrap() error { return e.Err }

// Temporary reports whether the download is worth another try later, with the same arguments: S3 was
// throttling or unavailable, the network or a worker failed, or an answer could not be trusted. It is
// false for a missing object, a refusal, a full disk or a bad name. The table that decides on
// retries decides here too (docs/retries.md).
func (e *TransferError) Temporary() bool { return failure.Temporary(e.Err) }

// DirectoryError is the error of every failed Result of a Directory. Through it errors.Is and
// errors.As find what Err and Failures are.
type DirectoryError struct {
	Bucket, Prefix, Dir string
	Err                 error            // what ended the whole: ErrCanceled, an error of the listing, ...; nil: nothing did
	Failed, Listed      int64            // objects
	Failures            []*TransferError // the first 10 of those that failed
}

func (e *DirectoryError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "processpool: s3://%s/%s to %s:", name(e.Bucket), name(e.Prefix), name(e.Dir))
	var step *TransferError
	switch {
	case errors.As(e.Err, &step): // of the same prefix and directory, which need no second mention
		fmt.Fprintf(&b, " %s: %s", step.Op, plain(fmt.Sprint(step.Err)))
	case e.Err != nil:
		fmt.Fprintf(&b, " %s", plain(fmt.Sprint(e.Err)))
	}
	if e.Err != nil && e.Failed > 0 {
		b.WriteString(";")
	}
	if e.Failed > 0 {
		fmt.Fprintf(&b, " %d of %d objects failed", e.Failed, e.Listed)
	}
	if e.Failed > int64(len(e.Failures)) {
		fmt.Fprintf(&b, ", %d of them", len(e.Failures))
	}
	for i, failure := range e.Failures {
		if i == 0 {
			b.WriteString(":")
		}
		b.WriteString("\n" + failure.text())
	}
	return b.String()
}

func (e *DirectoryError) Unwrap() []error {
	var errs []error
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	for _, failure := range e.Failures {
		errs = append(errs, failure)
	}
	return errs
}

// faults collects what is wrong with a configuration or with arguments, to report all of it at
// once.
type faults []error

// add adds a fault if bad.
func (f *faults) add(bad bool, format string, args ...any) {
	if bad {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

func (f faults) err() error { return errors.Join(f...) }

// etag adds what is wrong with an ETag that is a condition. A weak one never matches (RFC 9110,
// 13.1.1).
func (f *faults) etag(name, etag string) {
	f.add(strings.HasPrefix(etag, "W/"), "%s is a weak ETag, which S3 does not have", name)
	f.add(etag == "*", "%s is *: give an ETag", name)
	f.add(strings.ContainsFunc(etag, func(r rune) bool { return r < ' ' || r == 0x7f }) || strings.Count(etag, `"`)%2 != 0 ||
		strings.Contains(strings.Trim(etag, `"`), `"`), "%s is not one ETag: %q", name, etag)
}

// expect adds what is wrong with digests that the caller expects.
func (f *faults) expect(digests []Checksum) {
	_, wrong := expected(digests)
	for _, err := range wrong {
		f.add(true, "Expect: %w", err)
	}
}

// Checksum is a checksum of an object.
type Checksum struct {
	Algorithm types.ChecksumAlgorithm
	Value     string // base64, as S3 writes it; -N follows that of N parts
}

// expected returns what the caller expects of the object's bytes, and what is wrong with it.
func expected(digests []Checksum) ([]checksum.Stored, []error) {
	given := make([]checksum.Digest, len(digests))
	for i, d := range digests {
		given[i] = checksum.Digest{Algorithm: checksum.Algorithm(d.Algorithm), Value: d.Value}
	}
	return checksum.Expect(given)
}
