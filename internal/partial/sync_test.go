package partial

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// cannotSync makes every sync of a partial file fail, and counts the calls.
func cannotSync(target sink.Target, errno syscall.Errno) (calls *int) {
	calls = new(int)
	target.System().SetFault(func(op, _ string) error {
		if op == "fsync" || op == "fdatasync" {
			*calls++
			return errno
		}
		return nil
	})
	return calls
}

// Where the file system cannot sync, ranges are recorded all the same. The log says so once.
func TestRecordsWithoutSync(t *testing.T) {
	leak.Check(t)
	for _, errno := range []syscall.Errno{syscall.ENOTSUP, syscall.EINVAL, syscall.ENOSYS, syscall.EROFS} {
		dir := t.TempDir()
		var log bytes.Buffer
		var calls *int
		f := open(t, dir, func(o *Options) {
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			calls = cannotSync(o.Target, errno)
		})
		for n := range int64(3) {
			f.Add(record(n), false)
			if err := f.commit(); err != nil {
				t.Errorf("%v: %v", errno, err)
			}
		}
		f.End(errCut)
		if *calls != 2 { // fdatasync, and the fsync in its place
			t.Errorf("%v: %d calls, want no more once they cannot succeed", errno, *calls)
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "cannot sync") {
			t.Errorf("%v: %d warnings, want 1:\n%s", errno, n, &log)
		}
		f = open(t, dir)
		wantRecords(t, f, record(0), record(1), record(2))
		f.End(failure.ErrObjectChanged)
	}
}

// A Durable download that may be resumed does not begin where the file system cannot sync. What an
// earlier one has left stays.
func TestDurableWithoutSync(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	for _, left := range [][]string{nil, {".file.part", ".file.part.journal"}} {
		target := targetIn(t, dir)
		cannotSync(target, syscall.ENOTSUP)
		if left != nil {
			f := open(t, dir)
			f.Add(record(1), false)
			f.End(errCut)
		}
		o := Options{Target: target.Durable(), Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
		o.Header.ETag, o.Header.Size, o.Header.Bucket, o.Header.Key = `"e"`, size, "b", "k"
		if _, err := Open(t.Context(), o); !errors.Is(err, sink.ErrCannotSync) {
			t.Errorf("got %v, want ErrCannotSync", err)
		}
		leak.Files(t, dir, left...)
	}
}
