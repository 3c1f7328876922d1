package upstream_test

import (
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// recorder collects the calls of OnProgress. Its slice may be read after Result.
type recorder struct {
	inside, overlaps atomic.Int32
	steps            []processpool.Progress
}

func (r *recorder) record(o *processpool.DownloadOptions) {
	o.OnProgress = func(p processpool.Progress) {
		if r.inside.Add(1) > 1 {
			r.overlaps.Add(1)
		}
		r.steps = append(r.steps, p)
		r.inside.Add(-1)
	}
}

// check compares the calls with the promise for a download that succeeded.
func (r *recorder) check(t *testing.T, size int64) {
	t.Helper()
	if n := r.overlaps.Load(); n > 0 {
		t.Errorf("got %d calls at the same time as another", n)
	}
	if !slices.IsSortedFunc(r.steps, func(a, b processpool.Progress) int { return int(a.BytesDone - b.BytesDone) }) {
		t.Errorf("got steps back: %v", r.steps)
	}
	for _, p := range r.steps {
		if p.BytesTotal != size {
			t.Errorf("got total %d, want %d", p.BytesTotal, size)
		}
	}
	last := processpool.Progress{BytesDone: size, BytesTotal: size}
	if n := len(r.steps); n == 0 || r.steps[n-1] != last {
		t.Errorf("got steps %v, want %v as the last", r.steps, last)
	}
}

// T12: BytesTotal is the size of the object, 20 MiB, and BytesDone adds up to it.
func TestT12ProgressTotal(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.PutContent("b", "20mb", 20*harness.MiB, s3test.Pattern(1))
	d := harness.NewDownloader(t, origin, harness.Multipart(5*harness.MiB, harness.MiB))

	var r recorder
	if err := harness.Download(t, d, "20mb", filepath.Join(dir, "file"), r.record); err != nil {
		t.Fatal(err)
	}
	r.check(t, 20*harness.MiB)
	leak.Files(t, dir, "file")
}

// T4: bytes that are fetched again are not counted again.
func TestT4ProgressOverRetries(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(2, 4*harness.MiB)
	origin.Put("b", "k", want)
	origin.Inject(s3test.Fault{Method: "GET", Times: 5, Cut: true, CutAfter: harness.MiB + harness.MiB/2 + 1})
	d := harness.NewDownloader(t, origin, harness.Multipart(2*harness.MiB, 2*harness.MiB))

	var r recorder
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file"), r.record); err != nil {
		t.Fatal(err)
	}
	r.check(t, 4*harness.MiB)
	harness.WantContent(t, filepath.Join(dir, "file"), want)
	leak.Files(t, dir, "file")
}

func TestProgressOfAnEmptyObject(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", nil)
	d := harness.NewDownloader(t, origin)

	var r recorder
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file"), r.record); err != nil {
		t.Fatal(err)
	}
	r.check(t, 0)
	leak.Files(t, dir, "file")
}

// A callback that does not return delays its own download, and no other. The download ends after
// it.
func TestProgressCallbackIsSlow(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Processes(1), harness.Multipart(2, 2))
	gate, called := make(chan struct{}), make(chan struct{}, 16)

	slow := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "slow"), func(o *processpool.DownloadOptions) {
		o.OnProgress = func(processpool.Progress) {
			called <- struct{}{}
			<-gate
		}
	})
	harness.Wait(t, called, "the first call")
	if err := harness.Download(t, d, "k", filepath.Join(dir, "other")); err != nil {
		t.Error(err)
	}
	if harness.IsDone(slow) {
		t.Error("done before OnProgress has returned")
	}
	close(gate)
	if err := harness.Result(t, slow); err != nil {
		t.Error(err)
	}
	leak.Files(t, dir, "other", "slow")
}
