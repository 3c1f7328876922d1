package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/dispatch/fakecrew"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/osfile"
	"github.com/s3processpool/processpool/internal/transfer"
	"github.com/s3processpool/processpool/internal/walk"
)

// patience is how long a test waits for what must happen. Only a hang takes that long.
const patience = 30 * time.Second

// most bytes that one exchange may allocate: its messages have less than 1 MiB.
const mostAllocated = 64 << 20

// exchange is a loop with downloads, and the workers whose part the test plays.
type exchange struct {
	verify   transfer.Verify
	cut      func(int64) transfer.Cut
	t        *testing.T
	source   source
	truth    truth
	dir      string
	env      transfer.Env
	counters dispatch.Counters
	crew     *fakecrew.Crew
	loop     *dispatch.Loop
	workers  []*fakecrew.Worker
	ups      int

	downloads []*transfer.Download
	walked    chan struct{} // closed when the walk has ended; nil: there is none

	helpers struct {
		sync.Mutex
		waiting []func()
	}
}

// owner is a download's.
type owner struct{ request transfer.Request }

func (o *owner) Request() transfer.Request       { return o.request }
func (o *owner) Wrap(op string, err error) error { return fmt.Errorf("%s: %w", op, err) }

func newExchange(t *testing.T, data []byte) *exchange {
	x := &exchange{t: t, source: source{data}, dir: t.TempDir(), crew: fakecrew.New()}
	s := &x.source
	x.truth = truth{size: pick(s, int64(10), 0, 1, 5, 23), parts: s.odd(2)}
	files := new(osfile.System)
	files.SetFault(func(op, _ string) error {
		if op == "fallocate" { // a worker may tell of any size: the files stay sparse
			return syscall.EOPNOTSUPP
		}
		return nil
	})
	chunk, whole := pick(s, int64(5), 100), s.odd(2)
	x.verify = pick(s, transfer.VerifyAuto, transfer.VerifyRequired, transfer.VerifyOff, transfer.VerifyChecksums)
	x.cut = func(size int64) transfer.Cut {
		return transfer.Cut{Whole: whole && size < 20, Chunk: chunk}
	}
	x.env = transfer.Env{
		Slow:     pick(s, time.Hour, time.Nanosecond),
		Files:    files,
		Logger:   slog.New(slog.DiscardHandler),
		Counters: &x.counters,
		Go: func(run func()) {
			x.helpers.Lock()
			defer x.helpers.Unlock()
			x.helpers.waiting = append(x.helpers.waiting, run)
		},
	}
	const processes = 2
	x.loop = dispatch.New(dispatch.Options{
		Crew: x.crew, Processes: processes, Requests: 1 + s.draw(3), Logger: x.env.Logger, Counters: &x.counters,
	})
	for seat := range processes {
		x.workers = append(x.workers, x.crew.Up(seat))
	}
	for i := range 1 + s.draw(3) {
		x.download(fmt.Sprint("file", i), transfer.Request{
			Key: "k", ExpectedSize: pick(s, int64(ipc.SizeUnknown), x.truth.size, 7), SkipHead: s.odd(2), Resume: s.odd(4),
			Expect: pick(s, nil, nil, x.truth.expect(0), x.truth.expect(1)),
		})
	}
	if s.odd(4) {
		x.walk()
	}
	return x
}

func (x *exchange) download(name string, r transfer.Request) {
	r.Bucket, r.Filename = "b", filepath.Join(x.dir, name)
	r.Verify, r.Limit, r.Cut = x.verify, 20, x.cut
	d := new(transfer.Download)
	d.Init(&x.env, &owner{r})
	x.downloads = append(x.downloads, d)
	d.Submit(context.Background(), x.loop)
}

// walk starts a DownloadDirectory.
func (x *exchange) walk() {
	x.walked = make(chan struct{})
	w := walk.New(context.Background(), x.loop, walk.Options{
		Bucket: "b", Prefix: "p/", Dir: filepath.Join(x.dir, "tree"), Small: 20, Logger: x.env.Logger,
	}, &walker{x})
	w.Start()
}

type walker struct{ x *exchange }

func (*walker) Wants(ipc.Entry) bool            { return true }
func (*walker) Started(*transfer.Download)      {}
func (*walker) Ended(*transfer.Download)        {}
func (*walker) Wrap(op string, err error) error { return fmt.Errorf("%s: %w", op, err) }
func (w *walker) End(error, []error)            { close(w.x.walked) }

func (w *walker) New(key, filename string, small bool) (*transfer.Download, error) {
	d := new(transfer.Download)
	d.Init(&w.x.env, &owner{transfer.Request{
		Bucket: "b", Key: key, Filename: filename, ExpectedSize: ipc.SizeUnknown, SkipHead: small,
		Verify: w.x.verify, Limit: 20, Cut: w.x.cut,
	}})
	return d, nil
}

// settle returns when the loop has done what it can do now, with the help of its helpers.
func (x *exchange) settle() {
	for {
		x.loop.Do(func() {})
		x.loop.Do(func() {}) // a function is called before Do returns, and jobs are handed out after it
		x.helpers.Lock()
		waiting := x.helpers.waiting
		x.helpers.waiting = nil
		x.helpers.Unlock()
		if len(waiting) == 0 {
			return
		}
		for _, run := range waiting {
			run()
		}
	}
}

// done reports whether all downloads have ended.
func (x *exchange) done() bool {
	for _, d := range x.downloads {
		select {
		case <-d.Done():
		default:
			return false
		}
	}
	if x.walked != nil {
		select {
		case <-x.walked:
		default:
			return false
		}
	}
	return true
}

// lose has a worker die, and another one come up in its seat.
func (x *exchange) lose(i int) {
	x.workers[i].Down()
	x.raise(i)
}

func (x *exchange) raise(i int) {
	x.ups++
	x.workers[i] = x.crew.Up(i)
}

// play says what the source draws.
func (x *exchange) play() {
	s := &x.source
	for len(s.data) > 0 {
		x.settle()
		i := s.draw(len(x.workers))
		w := x.workers[i]
		switch {
		case s.odd(24):
			d := pick(s, x.downloads...)
			d.Cancel(x.loop, failure.ErrCanceled)
		case s.odd(24):
			x.lose(i)
		default:
			jobs := w.Has()
			if len(jobs) == 0 {
				break
			}
			if err := w.Say(s.word(pick(s, jobs...), &x.truth)); err != nil {
				x.raise(i)
			}
		}
	}
}

// mostAnswers limits the honest answers: a worker may have told of an object of millions of ranges.
const mostAnswers = 1_000

// end has all downloads end: by the death of every worker, or by honest answers.
func (x *exchange) end(honest bool) {
	answers := 0
	for deadline := time.Now().Add(patience); ; {
		x.settle()
		if x.done() {
			break
		}
		if time.Now().After(deadline) || x.ups > 10_000 {
			x.t.Fatalf("hangs after %d workers; jobs %v, %v", x.ups, x.workers[0].Has(), x.workers[1].Has())
		}
		idle := true
		for i, w := range x.workers {
			for jobs := w.Has(); len(jobs) > 0; jobs = w.Has() {
				idle = false
				if answers++; answers > mostAnswers {
					honest = false
				}
				if !honest {
					x.lose(i)
				} else if err := w.Say(jobs[0].ID, x.truth.answer(jobs[0])); err != nil {
					x.raise(i) // it had told something else before
				}
				x.loop.Do(func() {})
				x.loop.Do(func() {})
				w = x.workers[i]
				if !honest {
					break
				}
			}
		}
		if idle {
			time.Sleep(100 * time.Microsecond) // the walk has a goroutine of its own
		}
	}
	// A canceled job has no task any more, and keeps its slot until it is answered.
	for i := range x.workers {
		x.lose(i)
	}
	x.settle()
	x.loop.Do(x.loop.Shutdown)
	select {
	case <-x.loop.Ended():
	case <-time.After(patience):
		x.t.Fatal("the loop does not end")
	}
}

// left fails the test if anything is left.
func (x *exchange) left() {
	if c := x.counters.Counts(); c.Queued != 0 || c.Active != 0 {
		x.t.Errorf("got counts %+v, want none queued or active", c)
	}
	resumable := false
	for _, d := range x.downloads {
		o := d.Outcome()
		r := d.Owner().Request()
		resumable = resumable || r.Resume
		if info, err := os.Stat(r.Filename); (err == nil) != (o.Err == nil) || err == nil && info.Size() != o.Object.Size {
			x.t.Errorf("%s: got %+v, and %v, %v", r.Filename, o, info, err)
		}
	}
	if resumable {
		return
	}
	err := filepath.WalkDir(x.dir, func(path string, _ os.DirEntry, err error) error {
		name := filepath.Base(path)
		if known := len(name) <= len("file0") && strings.HasPrefix(name, "file"); !known && strings.HasPrefix(name, "file") {
			x.t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		x.t.Error(err)
	}
}

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// run plays one exchange.
func run(t *testing.T, data []byte) {
	if len(data) > 4<<10 {
		t.Skip("long inputs say nothing else")
	}
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("%v\n%s", r, debug.Stack())
		}
	}()
	goroutines, bytes := runtime.NumGoroutine(), allocated()
	x := newExchange(t, data)
	honest := x.source.odd(2)
	x.play()
	x.end(honest)
	x.left()
	if n := allocated() - bytes; n > mostAllocated {
		t.Errorf("got %d bytes allocated, want at most %d", n, mostAllocated)
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > goroutines; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 64<<10)
			t.Fatalf("goroutines are left:\n%s", buf[:runtime.Stack(buf, true)])
		}
	}
}

// FuzzExchange: whatever workers say, nothing panics, every download ends, and nothing is left.
func FuzzExchange(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		data := make([]byte, 16+n)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(run)
}
