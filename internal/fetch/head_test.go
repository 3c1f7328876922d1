package fetch_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func headJob() *ipc.Job { return &ipc.Job{Bucket: "b", Key: "k", Head: &ipc.Head{}} }

// TestHeadWithoutSize: if HeadObject has no Content-Length, a GetObject of a byte tells the size.
func TestHeadWithoutSize(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin, attempts(2))
	for _, size := range []int64{0, 1, 1000} {
		for _, ignore := range []bool{false, true} {
			t.Run(fmt.Sprintf("size=%d,ranges=%v", size, !ignore), func(t *testing.T) {
				origin.ClearFaults()
				o := putObject(origin, size)
				origin.ResetRequests()
				head := headers("Content-Length", "")
				head.Method = "HEAD"
				origin.Inject(head)
				origin.Inject(s3test.Fault{Method: "GET", IgnoreRange: ignore})
				got, err := c.Head(t.Context(), headJob(), nil)
				if err != nil || got.Object.Size != size {
					t.Fatalf("got %+v, %v", got, err)
				}
				wantRequests(t, origin, "", "bytes=0-0")
				if pin := origin.Requests()[1].IfMatch; pin != o.etag {
					t.Errorf("got If-Match %q, want %q", pin, o.etag)
				}
			})
		}
	}
	t.Run("416 without the size", func(t *testing.T) {
		origin.ClearFaults()
		putObject(origin, 0)
		origin.ResetRequests()
		head := headers("Content-Length", "")
		head.Method = "HEAD"
		origin.Inject(head)
		origin.Inject(s3test.Fault{Range: "bytes=0-0", Header: map[string]string{"Content-Range": ""}})
		if got, err := c.Head(t.Context(), headJob(), nil); err != nil || got.Object.Size != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
		wantRequests(t, origin, "", "bytes=0-0", "")
	})
	for _, f := range []struct {
		name string
		get  s3test.Fault
	}{
		{"overwritten meanwhile", s3test.Fault{Do: func(s *s3test.Server, _ s3test.Request) { s.Put("b", "k", []byte("new")) }, Times: 1}},
		{"overwritten, and If-Match ignored", s3test.Fault{Do: func(s *s3test.Server, _ s3test.Request) { s.Put("b", "k", []byte("new")) }, IgnoreIfMatch: true, Times: 1}},
		{"another range", s3test.Fault{ShiftRange: 1, Times: 1}},
		{"no total", s3test.Fault{Header: map[string]string{"Content-Range": "bytes 0-0/*"}, Times: 1}},
		{"no Content-Length either", s3test.Fault{IgnoreRange: true, Header: map[string]string{"Content-Length": ""}, Times: 1}},
		{"416 of an object with bytes", s3test.Fault{Status: 416, Header: map[string]string{"Content-Range": "bytes */1000"}, Times: 1}},
		{"503", s3test.Fault{Status: 503, Times: 1}},
	} {
		t.Run(f.name, func(t *testing.T) {
			origin.ClearFaults()
			putObject(origin, 1000)
			head := headers("Content-Length", "")
			head.Method, f.get.Method = "HEAD", "GET"
			origin.Inject(head)
			origin.Inject(f.get)
			origin.ResetRequests()
			got, err := c.Head(t.Context(), headJob(), nil)
			want := int64(1000)
			if f.get.Do != nil {
				want = 3
			}
			if err != nil || got.Object.Size != want {
				t.Errorf("got %+v, %v, want %d bytes", got, err, want)
			}
			wantRequests(t, origin, "", "bytes=0-0", "", "bytes=0-0")

			f.get.Times = 0
			origin.ClearFaults()
			origin.Inject(head)
			origin.Inject(f.get)
			if _, err := c.Head(t.Context(), headJob(), nil); f.get.Do == nil && !errors.Is(err, failure.ErrRetriesExceeded) {
				t.Errorf("every time: got %v, want ErrRetriesExceeded", err)
			}
		})
	}
}

// TestHeadOfNoBytes: a GetObject of a byte confirms a size of 0. If it contradicts, HeadObject is
// asked again.
func TestHeadOfNoBytes(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin, attempts(2))
	for name, get := range map[string]s3test.Fault{
		"416":                         {},
		"416 without a Content-Range": {Header: map[string]string{"Content-Range": ""}},
		"200":                         {IgnoreRange: true},
	} {
		t.Run("empty, "+name, func(t *testing.T) {
			origin.ClearFaults()
			putObject(origin, 0)
			origin.ResetRequests()
			get.Method = "GET"
			origin.Inject(get)
			if got, err := c.Head(t.Context(), headJob(), nil); err != nil || got.Object.Size != 0 {
				t.Errorf("got %+v, %v", got, err)
			}
			wantRequests(t, origin, "", "bytes=0-0")
		})
	}
	for name, get := range map[string]s3test.Fault{
		"206": {}, "200": {IgnoreRange: true}, "416": {Status: 416, Header: map[string]string{"Content-Range": "bytes */1000"}},
	} {
		t.Run("not empty, "+name, func(t *testing.T) {
			origin.ClearFaults()
			putObject(origin, 1000)
			origin.ResetRequests()
			head := headers("Content-Length", "0")
			head.Method, head.Times, get.Method = "HEAD", 1, "GET"
			origin.Inject(head)
			origin.Inject(get)
			if got, err := c.Head(t.Context(), headJob(), nil); err != nil || got.Object.Size != 1000 {
				t.Errorf("once: got %+v, %v", got, err)
			}
			wantRequests(t, origin, "", "bytes=0-0", "")
			head.Times = 0
			origin.Inject(head)
			_, err := c.Head(t.Context(), headJob(), nil)
			wantError(t, err, failure.ErrUnexpected, failure.ErrRetriesExceeded)
		})
	}
}

// TestHeadRefused: a GetObject of a byte tells why a HeadObject was refused.
func TestHeadRefused(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	origin.CreateBucket("b")
	c := newClient(t, origin, attempts(2))
	for _, r := range []struct {
		name   string
		bucket string
		status int // of a fault
		code   string
		want   string
	}{
		{"missing bucket", "missing", 0, "", "NoSuchBucket"},
		{"missing key", "b", 0, "", "NoSuchKey"},
		{"403", "b", 403, "", "AccessDenied"},
		{"403 of the clock", "b", 403, "SignatureDoesNotMatch", "SignatureDoesNotMatch"},
		{"400", "b", 400, "AuthorizationHeaderMalformed", "AuthorizationHeaderMalformed"},
		{"301", "b", 301, "PermanentRedirect", "PermanentRedirect"},
		{"405", "b", 405, "MethodNotAllowed", "MethodNotAllowed"},
	} {
		t.Run(r.name, func(t *testing.T) {
			origin.ClearFaults()
			origin.ResetRequests()
			if r.status != 0 {
				origin.Inject(s3test.Fault{Status: r.status, Code: r.code, Message: "its message"})
			}
			job := headJob()
			job.Bucket = r.bucket
			_, err := c.Head(t.Context(), job, nil)
			after := failure.Pack(err).Unpack() // as the application finds it
			for _, err := range []error{err, after} {
				var api smithy.APIError
				if !errors.As(err, &api) || api.ErrorCode() != r.want || r.status != 0 && api.ErrorMessage() != "its message" {
					t.Errorf("got %v, want the code %s", err, r.want)
				}
				var response *awshttp.ResponseError
				if !errors.As(err, &response) || response.ServiceRequestID() == "" || r.status != 0 && response.HTTPStatusCode() != r.status {
					t.Errorf("got %v, want an answer with a request id", err)
				}
				if notFound := errors.As(err, new(*types.NotFound)); notFound != (r.status == 0) {
					t.Errorf("NotFound: got %v of %v", notFound, err)
				}
			}
			wantRequests(t, origin, "", "bytes=0-0")
		})
	}
	t.Run("GetObject succeeds", func(t *testing.T) {
		for _, size := range []int64{0, 1000} {
			origin.ClearFaults()
			putObject(origin, size)
			origin.ResetRequests()
			origin.Inject(s3test.Fault{Method: "HEAD", Status: 404, Times: 1})
			if got, err := c.Head(t.Context(), headJob(), nil); err != nil || got.Object.Size != size {
				t.Errorf("once: got %+v, %v", got, err)
			}
			if want := []string{"", "bytes=0-0", ""}; size > 0 {
				wantRequests(t, origin, want...)
			} else {
				wantRequests(t, origin, append(want, "bytes=0-0")...) // confirms the size
			}
			origin.Inject(s3test.Fault{Method: "HEAD", Status: 404})
			_, err := c.Head(t.Context(), headJob(), nil)
			wantError(t, err, failure.ErrUnexpected, failure.ErrRetriesExceeded)
		}
	})
	t.Run("GetObject gives no reason either", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "<html><p>Forbidden") // of a gateway
		}))
		defer server.Close()
		c := newClient(t, origin, func(s *settings.Settings) { s.Client.BaseEndpoint = &server.URL })
		_, err := c.Head(t.Context(), headJob(), nil)
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != "Forbidden" || strings.Contains(err.Error(), "GetObject") {
			t.Errorf("got %v, want what the HeadObject says", err)
		}
	})
	t.Run("retried anyway", func(t *testing.T) {
		origin.ClearFaults()
		putObject(origin, 10)
		origin.ResetRequests()
		origin.Inject(s3test.Fault{Status: 503, Times: 1})
		if _, err := c.Head(t.Context(), headJob(), nil); err != nil {
			t.Error(err)
		}
		wantRequests(t, origin, "", "")
	})
}
