package processpool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// DirectoryOptions are one DownloadDirectory's own. Its functions are called one at a
// time, from one goroutine, and hold it up as long as they take; they must neither wait
// for the Directory nor call Shutdown.
type DirectoryOptions struct {
	// Flat takes only the objects directly below the prefix: S3 is asked with the
	// delimiter "/", and lists no others. Default: those in its subdirectories, too.
	Flat bool

	// Filter says which objects to download; the others are not counted. nil: all.
	Filter func(ObjectInfo) bool

	// KeepModTime gives each file the object's LastModified for a modification time.
	// A file that cannot be given it counts as failed, with a TransferError whose Op is
	// "chtimes", though it is in place and its Future's Result is nil. Default: it has the
	// time at which it was written.
	KeepModTime bool

	// SkipUnchanged leaves a file alone that has the object's size, and for its
	// modification time the object's LastModified: what an earlier download with
	// KeepModTime has left. It implies KeepModTime. S3's times are whole seconds, so an
	// object that was overwritten by one of the same size, and within the second, is
	// not seen to have changed; a file whose bytes were changed, and its size and time
	// were not, is not either.
	SkipUnchanged bool

	// StopOnError cancels what is under way, and begins nothing new, once a download
	// has failed. Default: the others go on.
	StopOnError bool

	// Options are applied to each download, and once before to see what they ask of
	// the listing. ExpectedSize and ExtraArgs.VersionId are single objects' own, and
	// refused.
	Options []func(*DownloadOptions)

	// OnStart is told of each download as it is queued. nil: nobody is.
	OnStart func(*Future)

	// OnFile is told of each download that has ended, when the file has its time; and
	// of each object that was refused, by a Future that has never been under way. Not of
	// those skipped. nil: nobody is.
	OnFile func(*Future)
}

// ObjectInfo is an object as S3 lists it.
type ObjectInfo struct {
	Key          string
	Size         int64
	ETag         string // with its quotes
	LastModified time.Time
	StorageClass string // such as STANDARD or GLACIER
}

// DirectoryProgress is how far a DownloadDirectory is. Listed is the sum of Skipped,
// Done, Failed and Canceled and of those queued, under way or not begun.
type DirectoryProgress struct {
	Listed   int64 // objects so far, but for those that Filter left out
	Skipped  int64 // unchanged
	Done     int64 // in place; also a key that stands for a directory
	Failed   int64
	Canceled int64 // because the whole was canceled, or stopped by an error

	BytesDone  int64 // in files, also those under way
	BytesTotal int64 // of the objects listed so far and not skipped
	Complete   bool  // all objects are listed: Listed and BytesTotal stand, but for what will be skipped
}

// Directory is a DownloadDirectory under way. All methods may be called at any time,
// from any goroutine, also after Shutdown.
//
// When it ends no download of it is under way. Files that have arrived stay, whatever
// becomes of the others.
type Directory struct {
	downloader          *Downloader
	bucket, prefix, dir string
	options             DirectoryOptions
	cancel              context.CancelCauseFunc
	done                chan struct{}

	// Written before done is closed, read only after.
	err error

	mu struct {
		sync.Mutex
		progress DirectoryProgress // less the bytes of flying
		flying   map[*Future]struct{}
	}
}

// DownloadDirectory begins to download all objects whose keys begin with prefix to
// files below dir, and returns its Directory at once; whatever goes wrong is the
// Directory's result. When ctx ends, the downloads are canceled.
//
// A file's name is the key's part behind the last slash of prefix, with directories
// for its slashes: with the prefix "photos/2024" the object photos/2024/a.jpg becomes
// dir/2024/a.jpg, and with "photos/2024/" it becomes dir/a.jpg. dir and the directories
// in it are made when the first file needs them. A key that ends in a slash stands for
// a directory, which is made.
//
// A key that has no such name is refused with ErrUnsafeKey, as one failure of many: one
// with a segment that is empty, "." or "..", or with a NUL; one whose file would be
// where a directory is or must be, or the other way round; one that a symbolic link
// would take out of dir; with Resume one that is named as unfinished files are; on
// Windows those with characters and names that it reserves.
// Where the file system takes two names for one (case, Unicode normalisation), the key
// listed later is refused; 1,048,576 files are remembered for that. Nobody else may
// write below dir meanwhile who must not write elsewhere: between the look at a
// directory and the rename of a file into it, links can be set.
//
// An object that is listed as smaller than MultipartThreshold takes one GetObject, as with
// DownloadOptions.SkipHead. A larger one is asked for with a HeadObject first: a listing
// does not tell the checksums, and without them nothing would be proved.
//
// The listing is asked for a page at a time, by a worker, and the next page when no
// more than a fixed number of downloads are queued or under way (twice those that the
// pool can have, and at least 100): millions of objects need no more memory than these.
func (d *Downloader) DownloadDirectory(ctx context.Context, bucket, prefix, dir string, optFns ...func(*DirectoryOptions)) *Directory {
	var options DirectoryOptions
	for _, fn := range optFns {
		fn(&options)
	}
	options.KeepModTime = options.KeepModTime || options.SkipUnchanged
	directory := &Directory{
		downloader: d, bucket: bucket, prefix: prefix, dir: dir, options: options,
		done: make(chan struct{}),
	}
	directory.mu.flying = map[*Future]struct{}{}
	ctx, directory.cancel = context.WithCancelCause(ctx)
	w, err := newWalk(ctx, directory)
	if err != nil {
		directory.settle(err)
		return directory
	}
	if !w.scheduler.do(w.enter) {
		directory.settle(ErrShutdown)
	}
	return directory
}

// Result waits for the end and returns nil, when every object has its file, or a
// *DirectoryError.
func (d *Directory) Result() error {
	<-d.done
	return d.err
}

// Done returns a channel that is closed when Result no longer blocks.
func (d *Directory) Done() <-chan struct{} { return d.done }

// Cancel cancels the downloads under way and begins no others. The result becomes
// ErrCanceled unless all had ended. It does not wait.
func (d *Directory) Cancel() { d.cancel(nil) }

// Progress returns how far the downloads are.
func (d *Directory) Progress() DirectoryProgress {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.mu.progress
	for f := range d.mu.flying {
		p.BytesDone += f.bytesDone.Load()
	}
	return p
}

// count changes the progress.
func (d *Directory) count(change func(*DirectoryProgress)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.mu.progress)
}

// fly adds a download that has begun, and land takes out one that has ended.
func (d *Directory) fly(f *Future) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.flying[f] = struct{}{}
}

func (d *Directory) land(f *Future, change func(*DirectoryProgress)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.mu.flying, f)
	change(&d.mu.progress)
}

// settle ends the directory, with an error unless nothing ended the whole and nothing
// failed. It is called once.
func (d *Directory) settle(err error, failures ...*TransferError) {
	if err != nil || len(failures) > 0 {
		p := d.Progress()
		d.err = &DirectoryError{
			Bucket: d.bucket, Prefix: d.prefix, Dir: d.dir,
			Err: err, Failed: p.Failed, Listed: p.Listed, Failures: failures,
		}
	}
	d.cancel(nil)
	close(d.done)
}

// validate checks the arguments. What is wrong with a key is that object's failure.
func (d *Directory) validate(o DownloadOptions) error {
	var faults []error
	fault := func(bad bool, text string) {
		if bad {
			faults = append(faults, errors.New(text))
		}
	}
	fault(d.dir == "", "no directory named")
	fault(strings.IndexByte(d.dir, 0) >= 0, "the directory's name contains a NUL")
	fault(!utf8.ValidString(d.prefix), "the prefix is not valid UTF-8, as every key in S3 is")
	fault(o.ExpectedSize != nil, "Options set ExpectedSize, which objects do not have in common")
	fault(o.ExtraArgs.VersionId != "", "Options set ExtraArgs.VersionId, which objects do not have in common")
	o.ExpectedSize = nil
	common := Meta{Bucket: d.bucket, Key: "any", Filename: "any", DownloadOptions: o}
	return errors.Join(append(faults, common.validate())...)
}

// maxFailures is how many failures a DirectoryError bears.
const maxFailures = 10

// DirectoryError is what every failed Result of a Directory returns. Through it
// errors.Is and errors.As find what Err and Failures are.
type DirectoryError struct {
	Bucket, Prefix, Dir string
	Err                 error            // what ended the whole: ErrCanceled, a listing's error, ...; nil: nothing did
	Failed, Listed      int64            // objects
	Failures            []*TransferError // the first 10 of those that failed
}

func (e *DirectoryError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "processpool: s3://%s/%s to %s:", e.Bucket, e.Prefix, e.Dir)
	if e.Err != nil {
		fmt.Fprintf(&b, " %v", e.Err)
	}
	if e.Err != nil && e.Failed > 0 {
		b.WriteString(";")
	}
	if e.Failed > 0 {
		fmt.Fprintf(&b, " %d of %d objects failed", e.Failed, e.Listed)
	}
	if e.Failed > int64(len(e.Failures)) {
		fmt.Fprintf(&b, ", %d of them", len(e.Failures))
	}
	for i, failure := range e.Failures {
		if i == 0 {
			b.WriteString(":")
		}
		fmt.Fprintf(&b, "\n%v", failure)
	}
	return b.String()
}

func (e *DirectoryError) Unwrap() []error {
	var errs []error
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	for _, failure := range e.Failures {
		errs = append(errs, failure)
	}
	return errs
}
