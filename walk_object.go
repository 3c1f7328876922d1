package processpool

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/internal/keypath"
	"github.com/s3processpool/processpool/internal/partial"
	"github.com/s3processpool/processpool/internal/tree"
)

// object begins one download, or makes a directory, or finds that there is nothing to
// do. Its error is one that no object can do without.
func (w *walk) object(o ObjectInfo) error {
	if w.tree == nil {
		var err error
		if w.tree, err = tree.Open(w.dir); err != nil {
			return w.fail("create", err)
		}
	}
	place, err := keypath.Of(strings.TrimPrefix(o.Key, w.base), runtime.GOOS == "windows")
	if err == nil && place.Dir {
		err = w.mkdir(o, place.Name)
		if err == nil {
			w.directory.count(func(p *DirectoryProgress) { p.Done++ })
			return nil
		}
	}
	if err != nil {
		w.refuse(o, err)
		return nil
	}
	skeleton := w.tree.Skeleton(place.Name)
	for w.names[skeleton] != "" { // who of the two is the other's file is seen when it is there
		if w.wait(); w.ctx.Err() != nil {
			return canceled(w.ctx)
		}
	}
	filename, err := w.place(place.Name)
	if err != nil {
		w.refuse(o, err)
		return nil
	}
	if w.unchanged(o, place.Name) {
		w.tree.Made(place.Name)
		w.directory.count(func(p *DirectoryProgress) {
			p.Skipped++
			p.BytesTotal -= o.Size
		})
		return nil
	}
	w.begin(o, place.Name, skeleton, filename)
	return nil
}

func (w *walk) begin(o ObjectInfo, name, skeleton, filename string) {
	options := w.directory.options.Options
	if o.Size < w.scheduler.config.MultipartThreshold {
		// The listing may be stale, so its size is not one to insist on.
		options = append(slices.Clip(options), func(o *DownloadOptions) { o.SkipHead = true })
	}
	f := w.directory.downloader.newFuture(w.directory.bucket, o.Key, filename, options)
	if err := f.meta.validate(); err != nil {
		w.settled(f, f.fail("check", err))
		return
	}
	f.ends = w.ends
	w.flying[f], w.names[skeleton] = name, name
	w.directory.fly(f)
	if onStart := w.directory.options.OnStart; onStart != nil {
		onStart(f)
	}
	w.scheduler.do(func() { w.scheduler.submit(w.ctx, f) })
}

// mkdir makes the directory that a key stands for.
func (w *walk) mkdir(o ObjectInfo, name string) error {
	if o.Size > 0 {
		return fmt.Errorf("%w: it ends in a slash, as a directory's, and the object has %d bytes", ErrUnsafeKey, o.Size)
	}
	if err := w.free(name + "/"); err != nil {
		return err
	}
	return w.tree.Mkdir(name)
}

func (w *walk) place(name string) (string, error) {
	if err := w.free(name); err != nil {
		return "", err
	}
	if w.resume && partial.IsReserved(path.Base(name)) {
		return "", fmt.Errorf("%w: with Resume its name is for the unfinished file of another key", ErrUnsafeKey)
	}
	return w.tree.Place(name)
}

// free makes sure that no directory above name is to be a file: a download under way
// has put none there yet.
func (w *walk) free(name string) error {
	for dir := range keypath.Ancestors(name) {
		if w.names[w.tree.Skeleton(dir)] == dir {
			return fmt.Errorf("%w: %s is another key's file, where a directory must be: %w", ErrUnsafeKey, dir, syscall.ENOTDIR)
		}
	}
	return nil
}

// unchanged tells that the file is what an earlier download has made of the object.
func (w *walk) unchanged(o ObjectInfo, name string) bool {
	if !w.directory.options.SkipUnchanged {
		return false
	}
	info, err := w.tree.Stat(name)
	return err == nil && info.Mode().IsRegular() && info.Size() == o.Size && info.ModTime().Equal(modTime(o.LastModified))
}

// modTime is what a file gets of an object's time. S3 has whole seconds, and some
// servers list more than the header of an answer can tell.
func modTime(t time.Time) time.Time { return t.Truncate(time.Second) }

// refuse makes an object a failure of which nothing was begun.
func (w *walk) refuse(o ObjectInfo, err error) {
	f := w.directory.downloader.newFuture(w.directory.bucket, o.Key, w.directory.dir, w.directory.options.Options)
	w.settled(f, f.fail("check", err))
}

func (w *walk) settled(f *Future, err error) {
	f.settle(Object{}, err)
	w.count(f, err)
}

// landed takes the end of a download.
func (w *walk) landed(f *Future) {
	name := w.flying[f]
	delete(w.flying, f)
	delete(w.names, w.tree.Skeleton(name))
	err := f.Result()
	if err == nil {
		w.tree.Made(name)
		err = w.keepTime(f, name)
	}
	w.count(f, err)
}

func (w *walk) keepTime(f *Future, name string) error {
	modified := f.Object().LastModified
	if !w.directory.options.KeepModTime || modified.IsZero() {
		return nil
	}
	if err := w.tree.Chtimes(name, modTime(modified)); err != nil {
		return f.fail("chtimes", err)
	}
	return nil
}

// count counts an object that has ended, and tells who asked to be.
func (w *walk) count(f *Future, err error) {
	var transfer *TransferError
	failed := errors.As(err, &transfer) && !(w.ctx.Err() != nil && errors.Is(err, ErrCanceled))
	w.directory.land(f, func(p *DirectoryProgress) {
		switch {
		case err == nil:
			p.Done++
		case failed:
			p.Failed++
		default:
			p.Canceled++
		}
		p.BytesDone += f.Object().Size
	})
	if failed && len(w.failures) < maxFailures {
		w.failures = append(w.failures, transfer)
	}
	if failed && w.directory.options.StopOnError {
		w.directory.cancel(errStopped)
	}
	if onFile := w.directory.options.OnFile; onFile != nil {
		onFile(f)
	}
}
