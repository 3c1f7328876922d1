package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// errors.As finds the same types in an answer of S3 as in the process that received it.
func TestErrorsOfS3(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Quickly)
	for _, c := range []struct {
		name        string
		bucket, key string
		fault       s3test.Fault
		options     func(*processpool.DownloadOptions)
		op          string
		status      int
		code        string
		is          func(error) bool
	}{
		{"NotFound by HEAD", "b", "missing", s3test.Fault{}, nil, "head", 404, "NoSuchKey", harness.Is[*types.NotFound]},
		{"NoSuchKey by HEAD", "b", "missing", s3test.Fault{}, nil, "head", 404, "NoSuchKey", harness.Is[*types.NoSuchKey]},
		{"NotFound of a bucket by HEAD", "missing", "k", s3test.Fault{}, nil, "head", 404, "NoSuchBucket", harness.Is[*types.NotFound]},
		{"NoSuchBucket by HEAD", "missing", "k", s3test.Fault{}, nil, "head", 404, "NoSuchBucket", harness.Is[*types.NoSuchBucket]},
		{"NoSuchKey by GET", "b", "missing", s3test.Fault{}, harness.Expect(10), "get", 404, "NoSuchKey", harness.Is[*types.NoSuchKey]},
		{"NoSuchBucket by GET", "missing", "k", s3test.Fault{}, harness.Expect(10), "get", 404, "NoSuchBucket", harness.Is[*types.NoSuchBucket]},
		{"InvalidObjectState", "b", "k", s3test.Fault{Method: "GET", Status: 403, Code: "InvalidObjectState"}, nil, "get", 403, "InvalidObjectState", harness.Is[*types.InvalidObjectState]},
		{"AccessDenied by GET", "b", "k", s3test.Fault{Method: "GET", Status: 403}, nil, "get", 403, "AccessDenied", harness.Is[*smithy.GenericAPIError]},
		{"AccessDenied by HEAD", "b", "k", s3test.Fault{Status: 403}, nil, "head", 403, "AccessDenied", harness.Is[*smithy.GenericAPIError]},
		{"a bad token by HEAD", "b", "k", s3test.Fault{Status: 400, Code: "InvalidToken"}, nil, "head", 400, "InvalidToken", harness.Is[*smithy.GenericAPIError]},
		{"a wrong region by HEAD", "b", "k", s3test.Fault{Status: 400, Code: "AuthorizationHeaderMalformed"}, nil, "head", 400, "AuthorizationHeaderMalformed", harness.Is[*smithy.GenericAPIError]},
		{"a code nobody knows", "b", "k", s3test.Fault{Method: "GET", Status: 418, Code: "Teapot"}, nil, "get", 418, "Teapot", harness.Is[*smithy.GenericAPIError]},
		{"SlowDown", "b", "k", s3test.Fault{Method: "GET", Status: 503}, nil, "get", 503, "SlowDown", harness.Is[*smithy.GenericAPIError]},
		{"PreconditionFailed", "b", "k", s3test.Fault{Method: "GET", Status: 412}, nil, "get", 412, "PreconditionFailed", harness.Is[*smithy.GenericAPIError]},
		{"InvalidRange", "b", "k", s3test.Fault{Method: "GET", Status: 416}, nil, "get", 416, "InvalidRange", harness.Is[*smithy.GenericAPIError]},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, "file")
			origin.ClearFaults()
			if c.fault.Status != 0 {
				c.fault.Message = "a message of its own"
				c.fault.Header = map[string]string{"X-Amz-Request-Id": "REQUEST42"}
				origin.Inject(c.fault)
			}
			f := d.DownloadFile(t.Context(), c.bucket, c.key, name, func(o *processpool.DownloadOptions) {
				if c.options != nil {
					c.options(o)
				}
			})
			err := harness.Result(t, f)
			leak.Files(t, dir)

			var transfer *processpool.TransferError
			if !errors.As(err, &transfer) || transfer.Op != c.op || transfer.Bucket != c.bucket || transfer.Key != c.key || transfer.Filename != name {
				t.Errorf("got %#v, want a *TransferError of the step %q", err, c.op)
			}
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != c.code {
				t.Errorf("got %v, want a smithy.APIError with the code %q", err, c.code)
			} else if c.fault.Method == "GET" && api.ErrorMessage() != c.fault.Message {
				t.Errorf("message: got %q, want %q", api.ErrorMessage(), c.fault.Message)
			}
			if !c.is(err) {
				t.Errorf("got %v, want the modelled type of %q", err, c.code)
			}
			var response *awshttp.ResponseError
			if !errors.As(err, &response) || response.HTTPStatusCode() != c.status || response.ServiceRequestID() == "" {
				t.Fatalf("got %v, want an *awshttp.ResponseError with status %d and a request id", err, c.status)
			}
			if c.fault.Status != 0 && response.ServiceRequestID() != "REQUEST42" {
				t.Errorf("request id: got %q, want REQUEST42", response.ServiceRequestID())
			}
		})
	}
}

// Each of these answers matches a sentinel error.
func TestErrorsAreSentinels(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Quickly)
	for _, c := range []struct {
		status  int
		options func(*processpool.DownloadOptions)
		want    error
		not     []error
	}{
		{503, harness.Expect(10), processpool.ErrRetriesExceeded, []error{processpool.ErrStalled}},
		{500, harness.Expect(10), processpool.ErrRetriesExceeded, []error{processpool.ErrWorkerLost}},
		{412, harness.Expect(10), processpool.ErrObjectChanged, []error{processpool.ErrRetriesExceeded}},
		{416, harness.Expect(10), processpool.ErrSizeMismatch, []error{processpool.ErrObjectChanged}},
	} {
		t.Run(fmt.Sprintf("status=%d", c.status), func(t *testing.T) {
			dir := t.TempDir()
			origin.ClearFaults()
			origin.Inject(s3test.Fault{Method: "GET", Status: c.status})
			err := harness.Download(t, d, "k", filepath.Join(dir, "file"), c.options)
			harness.WantError(t, err, c.want)
			for _, not := range c.not {
				if errors.Is(err, not) {
					t.Errorf("got %q, which is %q, too", err, not)
				}
			}
			leak.Files(t, dir)
		})
	}
}

// The text has the step first and the cause last, and the error of the last attempt is wrapped.
func TestErrorText(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "GET", Status: 500, Message: "the last words"})
	d := harness.NewDownloader(t, origin, harness.Quickly)
	name := filepath.Join(dir, "file")

	err := harness.Download(t, d, "k", name)
	harness.WantError(t, err, processpool.ErrRetriesExceeded)
	text := err.Error()
	if want := "processpool: get s3://b/k to " + name + ": "; !strings.HasPrefix(text, want) {
		t.Errorf("got text %q, want it to begin with %q", text, want)
	}
	if !strings.HasSuffix(text, "the last words") || !strings.Contains(text, "2 attempts") {
		t.Errorf("got text %q, want the number of attempts in it and S3's message at its end", text)
	}
	leak.Files(t, dir)
}

// A request whose attempts all stalled is both ErrStalled and ErrRetriesExceeded.
func TestErrorStalled(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "GET", Stall: true})
	d := harness.NewDownloader(t, origin, harness.Quickly, func(c *processpool.Config) { c.StallTimeout = 100 * time.Millisecond })

	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), processpool.ErrStalled, processpool.ErrRetriesExceeded)
	harness.WantRanges(t, origin, "", "")
	leak.Files(t, dir)
}

// An endpoint without a listener.
func TestErrorOfTheNetwork(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	closed := s3test.Start()
	closed.Close()
	cfg := origin.Config()
	cfg.BaseEndpoint = aws.String(closed.URL())
	d := harness.NewDownloaderOf(t, origin, cfg, harness.Quickly)

	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), processpool.ErrRetriesExceeded, syscall.ECONNREFUSED)
	leak.Files(t, dir)
}

// A redirect to the region in its answer is followed once. If that does not help, the redirect is
// the error, with the region in its answer.
func TestErrorRedirect(t *testing.T) {
	for _, times := range []int{1, 0} {
		t.Run(fmt.Sprintf("times=%d", times), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			origin.Inject(s3test.Fault{Redirect: "eu-west-1", Times: times})
			d := harness.NewDownloader(t, origin)

			err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
			if scope := origin.Requests()[1].Header.Get("Authorization"); !strings.Contains(scope, "/eu-west-1/s3/") {
				t.Errorf("second request: got Authorization %q, want eu-west-1 in its scope", scope)
			}
			if times == 1 {
				if err != nil {
					t.Error(err)
				}
				leak.Files(t, dir, "file")
				return
			}
			var response *awshttp.ResponseError
			if !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusMovedPermanently ||
				response.Response.Header.Get("X-Amz-Bucket-Region") != "eu-west-1" {
				t.Errorf("got %v, want the answer that names the region", err)
			}
			if n := len(origin.Requests()); n != 3 {
				t.Errorf("got %d requests, want 2 and one for the reason", n)
			}
			leak.Files(t, dir)
		})
	}
}
