package walk

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/keypath"
	"github.com/s3processpool/processpool/internal/transfer"
	"github.com/s3processpool/processpool/internal/tree"
)

// Options say what to download.
type Options struct {
	Bucket, Prefix string
	Dir            string // absolute
	Flat           bool   // only objects directly below the prefix
	KeepModTime    bool
	SkipUnchanged  bool
	StopOnError    bool
	Small          int64    // objects below this size are downloaded without HeadObject, in bytes
	Args           ipc.Args // of the listing
	Logger         *slog.Logger
}

// Owner is the caller's side of a walk. The walk's goroutine calls the methods, one at a time, but
// for End and Wrap, which other goroutines may call.
type Owner interface {
	// Wants reports whether to download an object.
	Wants(ipc.Entry) bool
	// New makes the download of an object, and checks its arguments.
	New(key, filename string, small bool) (*transfer.Download, error)
	// Started is called before a download is submitted.
	Started(*transfer.Download)
	// Ended is called when a download has ended and its file has its time, or when it was refused.
	Ended(*transfer.Download)
	// Wrap makes the error that the caller gets of a step that concerns no single object.
	Wrap(op string, err error) error
	// End is called once, when nothing is under way any more: with what has ended the walk early,
	// or nil, and the errors of the first downloads that have failed.
	End(err error, failures []error)
}

// file is where a download puts an object: a name below the tree, and the skeleton that it had when
// the download began.
type file struct{ name, skeleton string }

// Progress is how far a walk is, as the public DirectoryProgress.
type Progress struct {
	Listed, Skipped, Done, Failed, Canceled int64
	BytesDone, BytesTotal                   int64
	Complete                                bool
}

// Walk is a walk under way.
type Walk struct {
	options Options
	owner   Owner
	loop    *dispatch.Loop
	ctx     context.Context
	cancel  context.CancelCauseFunc
	base    string // of the keys; see keypath.Base

	tree     *tree.Tree       // nil until the first file needs it
	window   *transfer.Window // once it has started
	flying   map[*transfer.Download]file
	names    map[string]string // those of flying, by their skeletons
	failures []error

	mu struct {
		sync.Mutex
		progress Progress // without the bytes of flying
		flying   map[*transfer.Download]struct{}
	}
}

// MaxFailures is how many errors of single downloads End is given.
const MaxFailures = 10

// errStopped is why downloads are canceled that had no fault.
var errStopped = errors.New("another object's download has failed")

// New makes a walk, which Start starts.
func New(ctx context.Context, l *dispatch.Loop, o Options, owner Owner) *Walk {
	w := &Walk{
		options: o,
		owner:   owner,
		loop:    l,
		base:    keypath.Base(o.Prefix),
		flying:  map[*transfer.Download]file{},
		names:   map[string]string{},
	}
	w.mu.flying = map[*transfer.Download]struct{}{}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	return w
}

// Start starts the walk, or ends it with ErrShutdown.
func (w *Walk) Start() {
	if w.window = transfer.NewWindow(w.ctx, w.loop, w.Cancel); w.window == nil {
		w.cancel(nil)
		w.owner.End(failure.ErrShutdown, nil)
		return
	}
	go w.run()
}

// Cancel cancels the downloads under way and begins no others. It does not wait.
func (w *Walk) Cancel() { w.cancel(nil) }

// Progress returns how far the walk is.
func (w *Walk) Progress() Progress {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.mu.progress
	for d := range w.mu.flying {
		p.BytesDone += d.Progress().BytesDone
	}
	return p
}

// count changes the progress.
func (w *Walk) count(change func(*Progress)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.mu.progress)
}

func (w *Walk) run() {
	err := w.pages()
	for !w.window.Empty() {
		w.land(<-w.window.Ends())
	}
	if w.tree != nil {
		w.tree.Close()
	}
	switch {
	case w.stopped():
		err = nil // the failure that has stopped it is among the failures
	case err == nil && w.Progress().Canceled > 0:
		err = failure.Canceled(w.ctx)
	}
	w.cancel(nil)
	w.loop.Do(func() {}) // behind a giveUp
	w.loop.Told()()
	w.owner.End(err, w.failures)
	w.window.Close()
}

func (w *Walk) stopped() bool { return context.Cause(w.ctx) == errStopped }

// room waits until another download may begin.
func (w *Walk) room() error {
	for w.ctx.Err() == nil {
		select {
		case d := <-w.window.Ends():
			w.land(d)
			continue
		default:
		}
		if !w.window.Full() {
			return nil
		}
		w.wait()
	}
	return failure.Canceled(w.ctx)
}

// wait waits for the end of a download, or of the context.
func (w *Walk) wait() {
	select {
	case d := <-w.window.Ends():
		w.land(d)
	case <-w.ctx.Done():
	}
}
