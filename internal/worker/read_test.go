package worker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// TestRead sums a range of a file, and does not change what it is asked for.
func TestRead(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 300_000)
	file := bytes.NewReader(data)
	for _, length := range []int64{0, 1, readSize, 2*readSize + 1} {
		want := &ipc.Read{Offset: 7, Length: length, Checksum: checksum.SHA256, Record: checksum.CRC32C}
		before := *want
		got, err := read(t.Context(), want, file)
		p := data[7 : 7+length]
		digest := checksum.SHA256.New()
		digest.Write(p)
		if err != nil || !bytes.Equal(got.Digest, digest.Sum(nil)) || got.Record != checksum.CRC32C.Update(0, p) {
			t.Errorf("length=%d: got %+v, %v", length, got, err)
		}
		if !reflect.DeepEqual(*want, before) {
			t.Errorf("length=%d: it was changed to %+v", length, *want)
		}
	}
	if _, err := read(t.Context(), &ipc.Read{Offset: int64(len(data)) - 5, Length: 6}, file); !errors.Is(err, io.EOF) {
		t.Errorf("past the end: got %v, want EOF", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(failure.ErrCanceled)
	if _, err := read(ctx, &ipc.Read{Length: 5}, file); err != failure.ErrCanceled {
		t.Errorf("got %v, want ErrCanceled", err)
	}
}
