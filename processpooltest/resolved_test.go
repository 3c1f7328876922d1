package processpooltest_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/processpooltest"
)

// object has a value in every field. A field that is new must survive Resolved, too.
func object(t *testing.T) processpool.Object {
	o := processpool.Object{
		Size: 7, ETag: `"e"`, VersionId: "v", LastModified: time.Unix(1, 0), Verified: "CRC32 full object", Resumed: 3, Direct: 4,
		ContentType: "text/plain", ContentEncoding: "gzip", StorageClass: "GLACIER_IR",
		Metadata:  map[string]string{"a": "b"},
		Checksums: []processpool.Checksum{{Algorithm: "CRC32", Value: "AAAAAA=="}},
	}
	for v, i := reflect.ValueOf(o), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("this test does not set Object.%s", v.Type().Field(i).Name)
		}
	}
	return o
}

func TestResolved(t *testing.T) {
	size := int64(7)
	meta := processpool.Meta{TransferID: 5, Bucket: "b", Key: "k", Filename: "f"}
	meta.ExpectedSize, meta.UserContext, meta.Resume = &size, "mine", true
	want := object(t)
	f := processpooltest.Resolved(meta, want, nil)
	wantEnded(t, f)
	f.Cancel() // changes nothing
	if err := f.Result(); err != nil {
		t.Errorf("Result: got %v, want nil", err)
	}
	if got := f.Object(); !reflect.DeepEqual(got, want) {
		t.Errorf("Object: got %+v, want %+v", got, want)
	}
	if got, err := f.Wait(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Wait: got %+v, %v", got, err)
	}
	if got := f.Progress(); got != (processpool.Progress{BytesDone: 7, BytesTotal: 7}) {
		t.Errorf("Progress: got %+v, want 7 of 7", got)
	}
	if got := f.Meta(); !reflect.DeepEqual(got, meta) {
		t.Errorf("Meta: got %+v, want %+v", got, meta)
	}
	if size = 8; *f.Meta().ExpectedSize != 7 {
		t.Error("ExpectedSize is the caller's variable")
	}
}

func TestResolvedEmpty(t *testing.T) {
	f := processpooltest.Resolved(processpool.Meta{}, processpool.Object{}, nil)
	wantEnded(t, f)
	if got := f.Object(); !reflect.DeepEqual(got, processpool.Object{}) {
		t.Errorf("Object: got %+v, want none", got)
	}
	if got := f.Progress(); got != (processpool.Progress{}) {
		t.Errorf("Progress: got %+v, want 0 of 0", got)
	}
}

func TestResolvedError(t *testing.T) {
	want := &processpool.TransferError{Op: processpool.OpGet, Bucket: "b", Key: "k", Filename: "f", Err: processpool.ErrStalled}
	f := processpooltest.Resolved(processpool.Meta{Bucket: "b"}, object(t), want)
	wantEnded(t, f)
	f.Cancel()
	if got := f.Result(); got != error(want) || !errors.Is(got, processpool.ErrStalled) {
		t.Errorf("Result: got %v, want %v", got, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := f.Wait(ctx); err != error(want) || !reflect.ValueOf(got).IsZero() {
		t.Errorf("Wait: got %+v, %v, want %v", got, err, want)
	}
	if got := f.Object(); !reflect.ValueOf(got).IsZero() {
		t.Errorf("Object: got %+v, want none", got)
	}
	if got := f.Progress(); got != (processpool.Progress{BytesTotal: -1}) {
		t.Errorf("Progress: got %+v, want 0 of -1", got)
	}
}

func wantEnded(t *testing.T, f *processpool.Future) {
	t.Helper()
	select {
	case <-f.Done():
	default:
		t.Fatal("Done is not closed")
	}
}
