package harness

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
)

// Download downloads b/key to the file and returns the result.
func Download(t *testing.T, d *processpool.Downloader, key, filename string,
	optFns ...func(*processpool.DownloadOptions)) error {
	t.Helper()
	return Result(t, d.DownloadFile(t.Context(), "b", key, filename, optFns...))
}

// Result returns f.Result. It ends the test when that hangs.
func Result(t *testing.T, f *processpool.Future) error {
	t.Helper()
	Wait(t, f.Done(), "a result of "+f.Meta().Key)
	return f.Result()
}

// WantCanceled waits 10 seconds at most for the end of a download that has been canceled, and
// returns its error. It fails the test unless that is ErrCanceled and the Future has no Object.
func WantCanceled(t *testing.T, f *processpool.Future) error {
	t.Helper()
	select {
	case <-f.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("no result 10 s after the cancel")
	}
	err := f.Result()
	WantError(t, err, processpool.ErrCanceled, context.Canceled)
	if got := f.Object(); !reflect.ValueOf(got).IsZero() {
		t.Errorf("object: got %+v, want none", got)
	}
	return err
}

// Directory downloads a prefix of b to dir. It returns when the Directory has ended.
func Directory(t *testing.T, d *processpool.Downloader, prefix, dir string,
	optFns ...func(*processpool.DirectoryOptions)) *processpool.Directory {
	t.Helper()
	all := d.DownloadDirectory(t.Context(), "b", prefix, dir, optFns...)
	Wait(t, all.Done(), "the end of the directory")
	return all
}
