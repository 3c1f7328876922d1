//go:build realservers && linux

package realservers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// request is the object that a download requests, with its options.
type request struct {
	bucket, key string
	optFns      []func(*processpool.DownloadOptions)
}

// refusal is the expected error. Values that depend on the server are in maps.
type refusal struct {
	op     string // the step that fails
	status map[*product]int
	code   map[*product]string // nil: not checked
	is     func(error) bool    // finds the modelled type; nil: not checked
}

// always returns the same status for all servers. code returns the same code for all servers.
func always(status int) map[*product]int   { return map[*product]int{versitygw: status, minio: status} }
func code(code string) map[*product]string { return map[*product]string{versitygw: code, minio: code} }

// is reports whether the chain of err contains an error of type T.
func is[T error](err error) bool {
	var found T
	return errors.As(err, &found)
}

// refused makes a request that the server must refuse. The destination is an existing file, which
// must not change.
func refused(t *testing.T, s *server, d *processpool.Downloader, r request, want refusal) {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, destination)
	writeFile(t, name, []byte("before"))
	err := d.DownloadFile(context.Background(), r.bucket, r.key, name, r.optFns...).Result()

	var transfer *processpool.TransferError
	if !errors.As(err, &transfer) {
		t.Fatalf("got error %v, want a TransferError", err)
	}
	if transfer.Op != want.op {
		t.Errorf("got an error of step %q, want %q: %v", transfer.Op, want.op, err)
	}
	var response *awshttp.ResponseError
	if !errors.As(err, &response) {
		t.Errorf("no awshttp.ResponseError in: %v", err)
	} else if got := response.HTTPStatusCode(); got != want.status[s.product] {
		t.Errorf("got status %d, want %d: %v", got, want.status[s.product], err)
	} else if response.ServiceRequestID() == "" {
		t.Errorf("no request id in: %v", err)
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Errorf("no smithy.APIError in: %v", err)
	} else if want.code != nil && api.ErrorCode() != want.code[s.product] {
		t.Errorf("got code %q, want %q: %v", api.ErrorCode(), want.code[s.product], err)
	}
	if want.is != nil && !want.is(err) {
		t.Errorf("errors.As does not find the modelled type in: %v", err)
	}
	if errors.Is(err, processpool.ErrRetriesExceeded) {
		t.Errorf("the request was retried: %v", err)
	}
	untouched(t, name)
}

// untouched fails the test unless the file contains "before" and is the only one in its folder.
func untouched(t *testing.T, name string) {
	t.Helper()
	leak.Files(t, filepath.Dir(name), filepath.Base(name))
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != "before" {
		t.Errorf("the destination was changed, and has %d bytes", len(got))
	}
}
