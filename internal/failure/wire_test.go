package failure_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// cross converts err to JSON and back, as on the way between processes.
func cross(t *testing.T, err error) error {
	t.Helper()
	data, e := json.Marshal(failure.Pack(err))
	if e != nil {
		t.Fatal(e)
	}
	var w *failure.Wire
	if e := json.Unmarshal(data, &w); e != nil {
		t.Fatal(e)
	}
	return w.Unpack()
}

// sentinels are the errors that wantSame passes to errors.Is.
var sentinels = map[string]error{
	"ErrShutdown":              failure.ErrShutdown,
	"ErrCanceled":              failure.ErrCanceled,
	"ErrObjectChanged":         failure.ErrObjectChanged,
	"ErrSizeMismatch":          failure.ErrSizeMismatch,
	"ErrChecksumMismatch":      failure.ErrChecksumMismatch,
	"ErrUnverifiable":          failure.ErrUnverifiable,
	"ErrStalled":               failure.ErrStalled,
	"ErrWorkerLost":            failure.ErrWorkerLost,
	"ErrRetriesExceeded":       failure.ErrRetriesExceeded,
	"ErrUnexpected":            failure.ErrUnexpected,
	"context.Canceled":         context.Canceled,
	"context.DeadlineExceeded": context.DeadlineExceeded,
	"fs.ErrNotExist":           fs.ErrNotExist,
	"fs.ErrExist":              fs.ErrExist,
	"fs.ErrPermission":         fs.ErrPermission,
	"ENOSPC":                   syscall.ENOSPC,
	"EIO":                      syscall.EIO,
	"ECONNREFUSED":             syscall.ECONNREFUSED,
}

// wantSame compares the error that has crossed with the original.
func wantSame(t *testing.T, before error) {
	t.Helper()
	after := cross(t, before)
	if after.Error() != before.Error() {
		t.Errorf("got text %q, want %q", after, before)
	}
	for name, sentinel := range sentinels {
		if got, want := errors.Is(after, sentinel), errors.Is(before, sentinel); got != want {
			t.Errorf("errors.Is %s: got %v, want %v", name, got, want)
		}
	}
	if got, want := describe(after), describe(before); got != want {
		t.Errorf("errors.As: got\n%s\nwant\n%s", got, want)
	}
	// An error may cross twice, as that of a lost worker's successor does.
	if got, want := describe(cross(t, after)), describe(before); got != want {
		t.Errorf("errors.As after a second crossing: got\n%s\nwant\n%s", got, want)
	}
}

// describe describes everything that errors.As finds in err.
func describe(err error) string {
	var b strings.Builder
	found := func(name string, value any) { fmt.Fprintf(&b, "\t%s: %+v\n", name, value) }
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		found("smithy.APIError", []any{e.ErrorCode(), e.ErrorMessage(), e.ErrorFault()})
	}
	if e, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		found("awshttp.ResponseError", []any{e.HTTPStatusCode(), e.ServiceRequestID(),
			e.Response.Header.Get("X-Amz-Id-2"), e.Response.Header.Get("X-Amz-Bucket-Region")})
	}
	if e, ok := errors.AsType[*smithy.OperationError](err); ok {
		found("smithy.OperationError", []any{e.Service(), e.Operation()})
	}
	if e, ok := errors.AsType[*types.NoSuchKey](err); ok {
		found("types.NoSuchKey", aws.ToString(e.Message))
	}
	if e, ok := errors.AsType[*types.NotFound](err); ok {
		found("types.NotFound", aws.ToString(e.Message))
	}
	if e, ok := errors.AsType[*types.InvalidObjectState](err); ok {
		found("types.InvalidObjectState", []any{aws.ToString(e.Message), e.StorageClass, e.AccessTier})
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		found("fs.PathError", []any{e.Op, e.Err})
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		found("syscall.Errno", e)
	}
	return b.String()
}

func TestCrossingKeepsSentinels(t *testing.T) {
	cause := errors.New("the cause")
	for name, err := range map[string]error{
		"plain":        cause,
		"canceled":     failure.ErrCanceled,
		"deadline":     context.DeadlineExceeded,
		"changed":      fmt.Errorf("%w: its ETag was %q", failure.ErrObjectChanged, "x"),
		"size":         failure.ErrSizeMismatch,
		"checksum":     failure.ErrChecksumMismatch,
		"unverifiable": failure.ErrUnverifiable,
		"stalled":      fmt.Errorf("%w (20s)", failure.ErrStalled),
		"unexpected":   failure.ErrUnexpected,
		"exhausted":    fmt.Errorf("%w after 5 attempts: %w", failure.ErrRetriesExceeded, failure.ErrStalled),
		"three":        errors.Join(failure.ErrRetriesExceeded, failure.ErrUnexpected, failure.ErrObjectChanged),
		"lines":        errors.New("first\nsecond\x00 \u2028 \"quoted\""),
		"empty":        errors.New(""),
	} {
		t.Run(name, func(t *testing.T) { wantSame(t, err) })
	}
}

func TestCrossingKeepsNil(t *testing.T) {
	if failure.Pack(nil) != nil {
		t.Error("Pack(nil) is an error")
	}
	if err := (*failure.Wire)(nil).Unpack(); err != nil {
		t.Errorf("Unpack of nil: got %v", err)
	}
}

// TestUnknownSentinel: a worker of a later version may send a name that this version does not know.
func TestUnknownSentinel(t *testing.T) {
	w := &failure.Wire{Text: "text", Sentinels: []string{"no such name", "stalled"}}
	if err := w.Unpack(); err.Error() != "text" || !errors.Is(err, failure.ErrStalled) {
		t.Errorf("got %v", err)
	}
}

func TestCrossingKeepsErrno(t *testing.T) {
	_, notExist := os.Open(filepath.Join(t.TempDir(), "missing"))
	for name, err := range map[string]error{
		"ENOSPC":       &failure.Local{Err: fmt.Errorf("write: %w", &fs.PathError{Op: "write", Path: "file", Err: syscall.ENOSPC})},
		"EIO":          &fs.PathError{Op: "pwrite", Err: syscall.EIO},
		"ErrNotExist":  notExist,
		"ErrExist":     &fs.PathError{Op: "open", Path: "file", Err: syscall.EEXIST},
		"permission":   &fs.PathError{Op: "open", Path: "file", Err: syscall.EACCES},
		"closed":       &fs.PathError{Op: "write", Path: "file", Err: fs.ErrClosed},
		"other errors": fmt.Errorf("%w, then %w", failure.ErrStalled, &fs.PathError{Op: "write", Err: syscall.EFBIG}),
	} {
		t.Run(name, func(t *testing.T) {
			after := cross(t, err)
			if name != "closed" {
				wantSame(t, err)
			} else if after.Error() != err.Error() {
				t.Errorf("got text %q, want %q", after, err)
			}
		})
	}
}

// TestCrossingKeepsNetworkErrno: an errno such as ECONNREFUSED is not in an fs.PathError.
func TestCrossingKeepsNetworkErrno(t *testing.T) {
	err := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	after := cross(t, err)
	if after.Error() != err.Error() || !errors.Is(after, syscall.ECONNREFUSED) {
		t.Errorf("got %v", after)
	}
}

// TestCrossingKeepsAPIErrors uses errors that the SDK creates from responses of an origin.
func TestCrossingKeepsAPIErrors(t *testing.T) {
	leak.Check(t)
	origin := s3test.Start()
	defer origin.Close()
	origin.Put("bucket", "key", []byte("0123456789"))
	once := func(o *s3.Options) { o.Retryer = aws.NopRetryer{} }
	client := origin.Client(once)

	for _, c := range []struct {
		name  string
		fault *s3test.Fault
		key   string
		head  bool
		as    string // in the description
	}{
		{name: "NoSuchKey", key: "missing", as: "types.NoSuchKey"},
		{name: "NotFound", key: "missing", head: true, as: "types.NotFound"},
		{name: "403", fault: &s3test.Fault{Status: 403}, key: "key", as: "AccessDenied"},
		{name: "403 of HEAD", fault: &s3test.Fault{Status: 403}, key: "key", head: true, as: "403"},
		{name: "412", fault: &s3test.Fault{Status: 412}, key: "key", as: "PreconditionFailed"},
		{name: "416", fault: &s3test.Fault{Status: 416}, key: "key", as: "InvalidRange"},
		{name: "503", fault: &s3test.Fault{Status: 503, RetryAfter: "1"}, key: "key", as: "SlowDown"},
		{name: "500", fault: &s3test.Fault{Status: 500, Message: `a "quoted" <message>`}, key: "key", as: "InternalError"},
		{name: "301", fault: &s3test.Fault{Redirect: "eu-west-1"}, key: "key", as: "eu-west-1"},
		{name: "301 of HEAD", fault: &s3test.Fault{Redirect: "eu-west-1"}, key: "key", head: true, as: "eu-west-1"},
		{name: "InvalidObjectState", fault: &s3test.Fault{Status: 403, Code: "InvalidObjectState"}, key: "key", as: "types.InvalidObjectState"},
	} {
		t.Run(c.name, func(t *testing.T) {
			origin.ClearFaults()
			if c.fault != nil {
				origin.Inject(*c.fault)
			}
			var err error
			if c.head {
				_, err = client.HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: aws.String("bucket"), Key: &c.key})
			} else {
				_, err = client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: &c.key})
			}
			if err == nil {
				t.Fatal("the request succeeded")
			}
			if !strings.Contains(describe(err), c.as) {
				t.Fatalf("the test is wrong: %q is not in\n%s", c.as, describe(err))
			}
			wantSame(t, err)
			wantSame(t, fmt.Errorf("%w after 5 attempts: %w", failure.ErrRetriesExceeded, err))
		})
	}
}

// TestCrossingKeepsArchiveState: InvalidObjectState is the only modelled error with additional
// fields.
func TestCrossingKeepsArchiveState(t *testing.T) {
	leak.Check(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `<Error><Code>InvalidObjectState</Code><Message>archived</Message>`+
			`<StorageClass>GLACIER</StorageClass><AccessTier>DEEP_ARCHIVE_ACCESS</AccessTier></Error>`)
	}))
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, UsePathStyle: true, Retryer: aws.NopRetryer{},
		HTTPClient: &http.Client{Transport: transport},
	})
	_, err := client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	if state, ok := errors.AsType[*types.InvalidObjectState](err); !ok || state.AccessTier == "" {
		t.Fatalf("the test is wrong: %v", err)
	}
	wantSame(t, err)
}

// A Wire of whatever error has the size that Size promises.
func TestSize(t *testing.T) {
	long := strings.Repeat("x", 10*failure.MaxText)
	w := failure.Pack(&smithy.OperationError{OperationName: long, Err: &smithy.GenericAPIError{Code: long, Message: long}})
	w.Head = w.API
	if n := w.Size(); n < 3*failure.MaxText || n > 7*failure.MaxText {
		t.Errorf("got %d bytes, want at most %d", n, 7*failure.MaxText)
	}
}
