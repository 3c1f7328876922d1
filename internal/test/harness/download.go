package harness

import (
	"context"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/s3test"
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

// WantNext fails the test unless the next download of the same Downloader succeeds. It clears the
// faults of the origin.
func WantNext(t *testing.T, origin *s3test.Server, d *processpool.Downloader) {
	t.Helper()
	origin.ClearFaults()
	origin.Put("b", "next", Content)
	name := filepath.Join(t.TempDir(), "next")
	if err := Download(t, d, "next", name); err != nil {
		t.Errorf("the next download: %v", err)
		return
	}
	WantContent(t, name, Content)
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
