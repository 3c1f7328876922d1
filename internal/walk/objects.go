package walk

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/keypath"
	"github.com/s3processpool/processpool/internal/partial"
	"github.com/s3processpool/processpool/internal/transfer"
	"github.com/s3processpool/processpool/internal/tree"
)

// object begins the download of one object, or makes a directory, or finds that there is nothing to
// do. Its error is one that ends the walk.
func (w *Walk) object(e ipc.Entry) error {
	if w.tree == nil {
		var err error
		if w.tree, err = tree.Open(w.options.Dir); err != nil {
			return w.owner.Wrap(failure.OpCreate, err)
		}
	}
	key := string(e.Key)
	place, err := keypath.Of(strings.TrimPrefix(key, w.base), runtime.GOOS == "windows")
	if err == nil && place.Dir {
		if err = w.mkdir(e, place.Name); err == nil {
			w.count(func(p *Progress) { p.Done++ })
			return nil
		}
	}
	if err != nil {
		w.refuseKey(key, err)
		return nil
	}
	skeleton := w.tree.Skeleton(place.Name)
	for w.names[skeleton] != "" { // which of the two keys has the file is seen when the file is there
		if w.wait(); w.ctx.Err() != nil {
			return failure.Canceled(w.ctx)
		}
	}
	filename, err := w.place(place.Name)
	if err != nil {
		w.refuseKey(key, err)
		return nil
	}
	if w.unchanged(e, place.Name) {
		w.tree.Made(place.Name)
		w.count(func(p *Progress) {
			p.Skipped++
			p.BytesTotal -= e.Size
		})
		return nil
	}
	w.begin(e, place.Name, filename)
	return nil
}

func (w *Walk) begin(e ipc.Entry, name, filename string) {
	// The listing may be stale, so that its size is not one to insist on.
	small := e.Size < w.options.Small
	d, err := w.owner.New(string(e.Key), filename, small)
	if err != nil {
		w.refuse(d, err)
		return
	}
	d.Listed(e.Size, e.ETag)
	skeleton := w.tree.Skeleton(name) // once more: its directory exists now
	w.flying[d], w.names[skeleton] = file{name, skeleton}, name
	w.mu.Lock()
	w.mu.flying[d] = struct{}{}
	w.mu.Unlock()
	w.owner.Started(d)
	w.window.Submit(d)
}

// mkdir makes the directory that a key stands for.
func (w *Walk) mkdir(e ipc.Entry, name string) error {
	if e.Size > 0 {
		return fmt.Errorf("%w: it ends in a slash, as a directory's, and the object has %d bytes", keypath.ErrUnsafe, e.Size)
	}
	if err := w.free(name + "/"); err != nil {
		return err
	}
	if w.reserved(name) {
		return errReserved
	}
	return w.tree.Mkdir(name)
}

// place makes the directories above a file, and returns the file's path.
func (w *Walk) place(name string) (string, error) {
	if err := w.free(name); err != nil {
		return "", err
	}
	if w.reserved(name) {
		return "", errReserved
	}
	return w.tree.Place(name)
}

var errReserved = fmt.Errorf("%w: a name that begins with a dot and ends in %s or %s is that of a partial file or its journal, "+
	"which a download with Resume would believe", keypath.ErrUnsafe, partial.PartialSuffix, partial.JournalSuffix)

// reserved reports whether a file or one of the directories above it has the name of a partial file
// or a journal, or one that its directory equates with such a name. A later download with Resume,
// whoever makes it, would believe the file, or fail because of the directory.
func (w *Walk) reserved(name string) bool {
	for _, spelled := range []string{name, w.tree.Skeleton(name)} {
		for segment := range strings.SplitSeq(spelled, "/") {
			if partial.IsReserved(segment) {
				return true
			}
		}
	}
	return false
}

// free makes sure that no directory above name is to be a file, of a download that has put none
// there yet.
func (w *Walk) free(name string) error {
	for dir := range keypath.Ancestors(name) {
		if w.names[w.tree.Skeleton(dir)] == dir {
			return fmt.Errorf("%w: %s is another key's file, where a directory must be: %w", keypath.ErrUnsafe, dir, syscall.ENOTDIR)
		}
	}
	return nil
}

// unchanged reports whether the file is what an earlier download has made of the object.
func (w *Walk) unchanged(e ipc.Entry, name string) bool {
	if !w.options.SkipUnchanged {
		return false
	}
	info, err := w.tree.Stat(name)
	return err == nil && info.Mode().IsRegular() && info.Size() == e.Size && info.ModTime().Equal(modTime(e.LastModified))
}

// modTime is the time that a file gets of an object's. S3 has whole seconds, and some servers list
// more than the header of an answer can tell.
func modTime(t time.Time) time.Time { return t.Truncate(time.Second) }

// refuseKey makes an object a failure whose key has no file.
func (w *Walk) refuseKey(key string, cause error) {
	d, _ := w.owner.New(key, w.options.Dir, false)
	w.refuse(d, cause)
}

// refuse ends a download that has not begun.
func (w *Walk) refuse(d *transfer.Download, cause error) {
	d.Refuse(failure.OpCheck, cause)
	w.ended(d, d.Outcome().Err)
}

// land takes a download that has ended.
func (w *Walk) land(d *transfer.Download) {
	w.window.Landed()
	name := w.flying[d].name
	delete(w.names, w.flying[d].skeleton)
	delete(w.flying, d)
	err := d.Outcome().Err
	if err == nil {
		w.tree.Made(name)
		err = w.keepTime(d, name)
	}
	w.ended(d, err)
}

func (w *Walk) keepTime(d *transfer.Download, name string) error {
	modified := d.Outcome().Object.LastModified
	if !w.options.KeepModTime || modified.IsZero() {
		return nil
	}
	if err := w.tree.Chtimes(name, modTime(modified)); err != nil {
		return d.Owner().Wrap(failure.OpChtimes, err)
	}
	return nil
}

// ended counts an object that has ended, and tells the owner.
func (w *Walk) ended(d *transfer.Download, err error) {
	failed := err != nil && !(w.ctx.Err() != nil && errors.Is(err, failure.ErrCanceled))
	w.mu.Lock()
	delete(w.mu.flying, d)
	p := &w.mu.progress
	switch {
	case err == nil:
		p.Done++
	case failed:
		p.Failed++
	default:
		p.Canceled++
	}
	p.BytesDone += d.Outcome().Object.Size
	w.mu.Unlock()
	if failed && len(w.failures) < MaxFailures {
		w.failures = append(w.failures, err)
	}
	if failed && w.options.StopOnError {
		w.cancel(errStopped)
	}
	w.owner.Ended(d)
}
