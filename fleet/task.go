package fleet

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/tool/digest"
	"github.com/s3processpool/processpool/internal/tool/mark"
)

// task is one object of a message that a worker holds.
type task struct {
	held   *held
	index  int
	object *Object
	file   string

	begun atomic.Bool
	bytes atomic.Int64
	full  atomic.Int64 // when all bytes were there, in Unix ns; 0: they are not

	// Set by the end, and read when all tasks of the message have ended.
	err     error
	skipped bool
}

// request returns the download, unless there is nothing to download: then the task has ended.
func (t *task) request() (_ processpool.Request, due bool) {
	var err error
	if t.file, err = t.object.path(t.held.worker.o.Dir); err == nil && t.unchanged() {
		t.skipped = true
		t.finish(nil)
		return processpool.Request{}, false
	}
	if err == nil && t.held.delivered > t.held.worker.o.MaxDeliver {
		err = errExhausted
	}
	if err == nil {
		err = t.mkdir()
	}
	var sum processpool.Checksum
	if err == nil && t.object.Checksum != "" {
		sum, err = digest.Parse(t.object.Checksum)
	}
	if err != nil {
		t.finish(err)
		return processpool.Request{}, false
	}
	o, busy := t.object, t.busy()
	return processpool.Request{Bucket: o.Bucket, Key: o.Key, Filename: t.file, Options: []func(*processpool.DownloadOptions){
		func(d *processpool.DownloadOptions) {
			d.Durable, d.IfMatch, d.ExtraArgs.VersionId = true, o.ETag, o.Version
			if o.Size >= 0 {
				d.ExpectedSize = &o.Size
			}
			// One request brings a small object: there is nothing to resume.
			d.Resume = (o.Size < 0 || o.Size >= d.MultipartThreshold) && !busy
			if sum.Value != "" {
				d.Expect = []processpool.Checksum{sum}
			}
			d.OnProgress, d.UserContext = t.progress, t
		},
	}}, true
}

// errExhausted is the error of a message whose deliveries told nothing.
var errExhausted = errors.New("delivered more often than --max-deliver allows: its workers were killed or cut off")

// busy reports whether another process has the partial file: a worker on this machine that has lost
// the message, and may be stopped. Then the download has a file of its own.
func (t *task) busy() bool {
	w := t.held.worker
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.busy[t.file]
}

// unchanged reports whether the file is there already.
func (t *task) unchanged() bool {
	if t.object.ETag == "" || t.object.Size < 0 {
		return false
	}
	info, err := os.Stat(t.file)
	return err == nil && info.Mode().IsRegular() && info.Size() == t.object.Size && mark.Get(t.file, info) == t.object.ETag
}

// mkdir creates the file's directory. No symbolic link leads it out of the worker's.
func (t *task) mkdir() error {
	i := strings.LastIndexByte(t.object.File, '/')
	if i < 0 {
		return nil
	}
	root, err := os.OpenRoot(t.held.worker.o.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return root.MkdirAll(filepath.FromSlash(t.object.File[:i]), 0o777)
}

func (t *task) progress(p processpool.Progress) {
	t.begun.Store(true)
	if t.bytes.Swap(p.BytesDone) != p.BytesDone {
		t.held.moved.Store(true)
		t.held.worker.moved.Add(1)
	}
	if p.BytesDone == p.BytesTotal {
		t.full.CompareAndSwap(0, time.Now().UnixNano())
	}
}

// end is told of the end of the download.
func (t *task) end(f *processpool.Future) {
	err := f.Result()
	if err == nil {
		mark.Set(t.file, f.Object().ETag)
		t.bytes.Store(f.Object().Size)
	}
	t.finish(err)
}

// finish ends the task. The last task of a message settles it.
func (t *task) finish(err error) {
	t.err = err
	h, w := t.held, t.held.worker
	h.moved.Store(true)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.judge(t, err)
	w.mu.objects--
	w.wake()
	if h.open--; h.open == 0 {
		w.settling.Add(1)
		go func() {
			defer w.settling.Done()
			h.settle()
		}()
	}
}

// kind is what becomes of an object.
type kind int

const (
	good  kind = iota
	later      // worth another try: by whoever gets the message next
	never      // to the dead
)

// verdict returns what an error means for the object.
func (w *worker) verdict(err error) kind {
	var transfer *processpool.TransferError
	switch {
	case err == nil:
		return good
	case errors.Is(err, processpool.ErrCanceled), errors.Is(err, processpool.ErrShutdown), errors.Is(err, processpool.ErrBusy), ofNode(err):
		return later
	case isRefusal(err) && !w.mu.any:
		return later // this machine may have no right to anything
	case errors.As(err, &transfer) && transfer.Temporary():
		return later
	}
	return never
}

// maxRefused is how many objects may be refused to a worker that was given none, until it ends.
const maxRefused = 20

// judge notes what a result tells about the machine. w.mu must be locked.
func (w *worker) judge(t *task, err error) {
	fault := error(nil)
	switch {
	case err == nil:
		w.mu.any = true
	case ofNode(err):
		fault = &NodeError{err}
	case errors.Is(err, processpool.ErrBusy):
		if len(w.mu.busy) < maxLeftovers {
			w.mu.busy[t.file] = true
		}
	case isRefusal(err) && !w.mu.any:
		if w.mu.refused++; w.mu.refused >= maxRefused {
			fault = &NodeError{err}
		}
	}
	if fault != nil && w.mu.fault == nil {
		w.mu.fault = fault
		w.o.Logger.Error("the worker ends", "err", err)
	}
}

// ofNode reports whether an error is of the machine, and not of the object: another worker may have
// room.
func ofNode(err error) bool {
	for _, e := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// isRefusal reports whether S3 knows the credentials not, or gives them no right.
func isRefusal(err error) bool {
	var response *awshttp.ResponseError
	return errors.As(err, &response) && (response.HTTPStatusCode() == 401 || response.HTTPStatusCode() == 403)
}
