package faults_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A worker that is killed changes nothing about the file's time and mode, nor about a destination that
// must not be replaced.
func TestNoClobberWorkerKilled(t *testing.T) {
	for _, method := range []string{"HEAD", "GET"} {
		t.Run(method, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			want, at := s3test.PatternBytes(1, 4*harness.MiB), time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
			origin.Put("b", "k", want, func(o *s3test.Object) { o.LastModified = at })
			origin.Inject(s3test.Fault{Method: method, Times: 2, Stall: true, Gate: forever(method), StallAfter: harness.MiB / 2})
			d := harness.NewDownloader(t, origin, harness.Multipart(harness.MiB, harness.MiB), harness.Processes(1), harness.Unhurried)
			name := filepath.Join(dir, "file")
			f := d.DownloadFile(t.Context(), "b", "k", name, anew)
			for n := 1; n <= 2; n++ {
				harness.Arrive(t, origin, n, method)
				harness.SignalWorkers(t, syscall.SIGKILL)
			}
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, name, want)
			leak.Files(t, dir, "file")
			if info, err := os.Stat(name); err != nil || info.Mode() != fs.FileMode(0o606) || !info.ModTime().Equal(at) {
				t.Errorf("got %v, %v, %v, want 0606 and %v", info.Mode(), info.ModTime(), err, at)
			}
		})
	}
}
