package harness

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Single returns a Downloader with one worker, ranges of chunk bytes and no stall timeout.
func Single(t *testing.T, origin *s3test.Server, chunk int64,
	optFns ...func(*processpool.Config)) *processpool.Downloader {
	t.Helper()
	own := []func(*processpool.Config){Processes(1), Unhurried, Multipart(1, chunk)}
	return NewDownloader(t, origin, append(own, optFns...)...)
}

// Interrupt downloads b/k with Resume and one worker, and cancels the download when the worker asks
// for the range that begins at offset at. All bytes before that range are in the partial file.
func Interrupt(t *testing.T, origin *s3test.Server, d *processpool.Downloader, filename string, at int64) {
	t.Helper()
	fault := origin.Inject(s3test.Fault{Method: "GET", Gate: make(chan struct{}), Match: func(r s3test.Request) bool {
		return strings.HasPrefix(r.Range, fmt.Sprintf("bytes=%d-", at))
	}})
	f := d.DownloadFile(t.Context(), "b", "k", filename, Resume)
	for deadline := time.Now().Add(Patience); fault.Hits() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the range at %d was not asked for; requests %v", at, len(origin.Requests()))
		}
	}
	f.Cancel()
	WantError(t, Result(t, f), processpool.ErrCanceled)
	origin.ClearFaults()
	origin.ResetRequests()
}

// Resumed resumes the download of b/k. It fails the test unless the file holds want and is the only
// one in its directory.
func Resumed(t *testing.T, d *processpool.Downloader, filename string, want []byte) processpool.Object {
	t.Helper()
	f := d.DownloadFile(t.Context(), "b", "k", filename, Resume)
	if err := Result(t, f); err != nil {
		t.Fatal(err)
	}
	WantContent(t, filename, want)
	leak.Files(t, filepath.Dir(filename), filepath.Base(filename))
	return f.Object()
}

// WantResumed fails the test unless want bytes of the object were resumed.
func WantResumed(t *testing.T, o processpool.Object, want int64) {
	t.Helper()
	if o.Resumed != want {
		t.Errorf("Resumed: got %d bytes, want %d", o.Resumed, want)
	}
}
