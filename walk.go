package processpool

import (
	"context"
	"errors"
	"fmt"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/keypath"
	"github.com/s3processpool/processpool/internal/tree"
)

// walk goes through a listing and has the objects downloaded, in one goroutine of its
// own, which owns its fields:
//
//	page -> object, object, ... -> page -> ... -> the last downloads end
//
// Invariants:
//  1. At most window downloads have begun and not landed, so that ends, which has
//     room for as many, never holds up the scheduler.
//  2. The scheduler counts the walk from enter to the last landing, and is not stopped
//     meanwhile.
type walk struct {
	directory *Directory
	scheduler *scheduler
	ctx       context.Context
	dir       string // absolute
	base      string // of the keys; see keypath.Base
	args      ipc.Args
	resume    bool // see DownloadOptions
	window    int

	tree   *tree.Tree // nil until the first file needs it
	ends   chan *Future
	flying map[*Future]string // names, below the tree
	names  map[string]string  // the same, by their skeletons

	failures []*TransferError
}

// minWindow has small objects keep a small pool busy while the next page is listed.
const minWindow = 100

// errStopped is why downloads are canceled that had no fault.
var errStopped = errors.New("another object's download has failed")

func newWalk(ctx context.Context, d *Directory) (*walk, error) {
	var options DownloadOptions
	for _, fn := range d.options.Options {
		fn(&options)
	}
	if err := d.validate(options); err != nil {
		return nil, err
	}
	dir, err := tree.Absolute(d.dir)
	if err != nil {
		return nil, err
	}
	s, err := d.downloader.running()
	if err != nil {
		return nil, err
	}
	config := &s.config
	w := &walk{
		directory: d,
		scheduler: s,
		ctx:       ctx,
		dir:       dir,
		base:      keypath.Base(d.prefix),
		args: ipc.Args{
			RequestPayer:        string(options.ExtraArgs.RequestPayer),
			ExpectedBucketOwner: options.ExtraArgs.ExpectedBucketOwner,
		},
		resume: options.Resume,
		window: max(minWindow, 2*config.MaxRequestProcesses*config.RequestsPerProcess),
		flying: map[*Future]string{},
		names:  map[string]string{},
	}
	w.ends = make(chan *Future, w.window)
	return w, nil
}

// enter starts the walk unless the pool is to be shut down. It runs in the
// scheduler's goroutine.
func (w *walk) enter() {
	if w.scheduler.draining {
		w.directory.settle(ErrShutdown)
		return
	}
	w.scheduler.walks++
	go w.run()
}

func (w *walk) run() {
	err := w.pages()
	for len(w.flying) > 0 {
		w.landed(<-w.ends)
	}
	if w.tree != nil {
		w.tree.Close()
	}
	w.end(err)
	w.scheduler.do(func() { w.scheduler.walks-- })
}

// end says what has become of the whole.
func (w *walk) end(err error) {
	canceledSome := w.directory.Progress().Canceled > 0
	switch {
	case w.stopped():
		err = nil // the failure that stopped it is among the failures
	case err == nil && canceledSome:
		err = canceled(w.ctx)
	}
	w.directory.settle(err, w.failures...)
}

func (w *walk) stopped() bool { return context.Cause(w.ctx) == errStopped }

// pages returns when all downloads have begun, or none shall any more.
func (w *walk) pages() error {
	if err := tree.Check(w.dir); err != nil {
		return w.fail("check", err)
	}
	list := ipc.List{Prefix: w.directory.prefix}
	if w.directory.options.Flat {
		list.Delimiter = "/"
	}
	for {
		if err := w.room(); err != nil {
			return err
		}
		page, err := w.page(list)
		if err != nil {
			return err
		}
		for _, o := range w.wanted(page) {
			if err := w.room(); err != nil {
				return err
			}
			if err := w.object(o); err != nil {
				return err
			}
		}
		if page.Next == "" {
			w.directory.count(func(p *DirectoryProgress) { p.Complete = true })
			return nil
		}
		list.Token = page.Next
	}
}

// page asks for one.
func (w *walk) page(list ipc.List) (*ipc.Page, error) {
	l := &listing{scheduler: w.scheduler, bucket: w.directory.bucket, list: list, args: w.args, answer: make(chan listed, 1)}
	w.scheduler.do(l.submit)
	for {
		select {
		case a := <-l.answer:
			if a.err == nil && a.page == nil {
				a.err = fmt.Errorf("%w: a worker's result has no page", failure.ErrUnexpected)
			}
			if a.err != nil {
				return nil, w.fail("list", a.err)
			}
			return a.page, nil
		case f := <-w.ends:
			w.landed(f)
		case <-w.ctx.Done():
			w.scheduler.do(l.cancel)
			return nil, canceled(w.ctx)
		}
	}
}

// fail makes the error of a step that concerns no single object.
func (w *walk) fail(op string, err error) error {
	return &TransferError{Op: op, Bucket: w.directory.bucket, Key: w.directory.prefix, Filename: w.directory.dir, Err: err}
}

// wanted counts a page's objects, less those that the filter leaves out.
func (w *walk) wanted(page *ipc.Page) []ObjectInfo {
	var objects []ObjectInfo
	var bytes int64
	for _, e := range page.Entries {
		o := ObjectInfo{Key: string(e.Key), Size: e.Size, ETag: e.ETag, LastModified: e.LastModified, StorageClass: e.StorageClass}
		if filter := w.directory.options.Filter; filter == nil || filter(o) {
			objects = append(objects, o)
			bytes += o.Size
		}
	}
	w.directory.count(func(p *DirectoryProgress) {
		p.Listed += int64(len(objects))
		p.BytesTotal += bytes
	})
	return objects
}

// room waits until another download may begin.
func (w *walk) room() error {
	for w.ctx.Err() == nil {
		select {
		case f := <-w.ends:
			w.landed(f)
			continue
		default:
		}
		if len(w.flying) < w.window {
			return nil
		}
		w.wait()
	}
	return canceled(w.ctx)
}

// wait waits for an end, or for that of the context.
func (w *walk) wait() {
	select {
	case f := <-w.ends:
		w.landed(f)
	case <-w.ctx.Done():
	}
}
