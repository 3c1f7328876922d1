package transfer

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/dispatch/fakecrew"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/osfile"
	"github.com/s3processpool/processpool/internal/proof"
)

// fixture is one download of an object of ten bytes, in ranges of five, by a worker of four slots
// whose part the test plays. What the transfer does in goroutines of its own waits until help is
// called.
type fixture struct {
	t        *testing.T
	dir      string
	env      Env
	counters dispatch.Counters
	crew     *fakecrew.Crew
	loop     *dispatch.Loop
	worker   *fakecrew.Worker // nil: none is up
	request  Request
	download Download
	waiting  []func()
}

const (
	size = 10
	etag = `"e"`
)

var object = ipc.Object{Size: size, ETag: etag}

func newFixture(t *testing.T, options ...func(*fixture)) *fixture {
	f := &fixture{t: t, dir: t.TempDir(), crew: fakecrew.New()}
	f.request = Request{Bucket: "b", Key: "k", Filename: filepath.Join(f.dir, "file"), ExpectedSize: ipc.SizeUnknown,
		Limit: 100, Cut: func(int64) Cut { return Cut{Chunk: 5} }}
	f.env = Env{
		Files:    new(osfile.System),
		Logger:   slog.New(slog.DiscardHandler),
		Counters: &f.counters,
		Go:       func(work func()) { f.waiting = append(f.waiting, work) },
	}
	for _, option := range options {
		option(f)
	}
	f.loop = dispatch.New(dispatch.Options{
		Crew: f.crew, Processes: 1, Requests: 4, Logger: f.env.Logger, Counters: &f.counters,
	})
	t.Cleanup(func() {
		f.end()
		f.loop.Do(f.loop.Shutdown)
		<-f.loop.Ended()
	})
	f.up()
	f.download.Init(&f.env, f)
	f.download.Submit(context.Background(), f.loop)
	f.sync()
	return f
}

func (f *fixture) Request() Request { return f.request }

func (f *fixture) Wrap(op string, err error) error { return fmt.Errorf("%s: %w", op, err) }

// sync returns when the loop has done all that it can do now.
func (f *fixture) sync() { f.loop.Do(func() {}) }

// transfer returns the transfer under way, or nil.
func (f *fixture) transfer() (t *transfer) {
	f.on(func() { t, _ = f.download.ticket.Task().(*transfer) })
	return t
}

// on runs fn on the loop's goroutine, and waits for its end.
func (f *fixture) on(fn func()) {
	f.loop.Do(fn)
	f.sync()
}

func (f *fixture) up() {
	f.worker = f.crew.Up(0)
	f.sync()
}

// help runs the n-th of the goroutines that wait, and reports whether there is one.
func (f *fixture) help(n int) bool {
	if n >= len(f.waiting) {
		return false
	}
	work := f.waiting[n]
	f.waiting = slices.Delete(f.waiting, n, n+1)
	work()
	f.sync()
	return true
}

// answer ends the worker's oldest job, and reports whether there is one. result is given the job.
func (f *fixture) answer(result func(*ipc.Job) *ipc.Result) bool {
	if f.worker == nil || len(f.worker.Jobs) == 0 {
		return false
	}
	f.worker.Answer(result(f.worker.Jobs[0]))
	f.sync()
	return true
}

// good is what a worker answers when nothing goes wrong, but for the sums, which are zero.
func good(j *ipc.Job) *ipc.Result {
	switch j.Op() {
	case ipc.OpHead:
		return &ipc.Result{Head: &ipc.HeadResult{Object: object}}
	case ipc.OpGet:
		n := j.Get.Length
		if n == ipc.SizeUnknown {
			n = size
		}
		return &ipc.Result{Get: &ipc.GetResult{Object: object, Written: n}}
	case ipc.OpParts:
		return &ipc.Result{Parts: &ipc.PartsResult{}}
	}
	r := &ipc.ReadResult{}
	for range j.Read.Also {
		r.Also = append(r.Also, make([]byte, 32))
	}
	return &ipc.Result{Read: r}
}

// composite is the object with a checksum of its two parts, which zero sums do not have.
func composite(*ipc.Job) *ipc.Result {
	stored, ok := checksum.Parse(checksum.CRC32C, "COMPOSITE", "AAAAAA==-2")
	layout, known := proof.UniformLayout(size, 5, 2)
	if !ok || !known {
		panic("the checksum of the test is no good")
	}
	o := object
	o.Stored, o.Layout = []checksum.Stored{stored}, layout
	return &ipc.Result{Head: &ipc.HeadResult{Object: o}}
}

func failed(*ipc.Job) *ipc.Result { return &ipc.Result{Err: failure.Pack(failure.ErrStalled)} }

// end has the download end, whatever stage it is in, and fails the test if that leaves anything.
func (f *fixture) end() {
	f.t.Helper()
	f.on(func() { f.loop.Cancel(&f.download, failure.ErrCanceled) })
	for f.help(0) || f.answer(good) {
	}
	select {
	case <-f.download.Done():
	default:
		f.t.Errorf("the download has no outcome; it is %v", f.transfer().stage)
		return
	}
	if c := f.counters.Counts(); c.Queued != 0 || c.Active != 0 {
		f.t.Errorf("got counts %+v, want none queued or active", c)
	}
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		f.t.Error(err)
	}
	for _, e := range entries {
		if f.download.Outcome().Err != nil && !f.request.Resume {
			f.t.Errorf("%s is left after %v", e.Name(), f.download.Outcome().Err)
		}
	}
}
