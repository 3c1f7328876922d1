package processpool

import (
	"context"
	"slices"
	"time"

	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/transfer"
	"github.com/s3processpool/processpool/internal/tree"
	"github.com/s3processpool/processpool/internal/walk"
)

// DirectoryProgress is how far a DownloadDirectory is. Listed is the sum of Skipped, Done,
// Failed, Canceled and the objects that are queued, under way or not begun.
type DirectoryProgress struct {
	Listed   int64 // objects so far, without those that Filter left out
	Skipped  int64 // unchanged
	Done     int64 // in place, including keys that stand for directories
	Failed   int64
	Canceled int64 // because the whole was canceled, or stopped by an error

	BytesDone  int64 // in files, including those under way
	BytesTotal int64 // of the objects listed so far and not skipped
	Complete   bool  // all objects are listed: Listed is final, and BytesTotal but for what will be skipped
}

// DirectoryOptions are the options of one DownloadDirectory. Its functions are called one at
// a time, from one goroutine, which waits for them. They must neither wait for the Directory
// nor call Shutdown.
type DirectoryOptions struct {
	// Flat downloads only the objects directly below the prefix: S3 is asked with the
	// delimiter "/", and lists no others. Default: those in its subdirectories too.
	Flat bool

	// Filter reports whether to download an object. The others are not counted. nil: all.
	Filter func(ObjectInfo) bool

	// KeepModTime sets each file's modification time to the object's LastModified. A file
	// whose time cannot be set counts as failed, with a TransferError whose Op is OpChtimes,
	// although it is in place and its Future's Result is nil. Default: the time at which the
	// file was written.
	KeepModTime bool

	// SkipUnchanged leaves a file alone that has the object's size and, as its modification
	// time, the object's LastModified: what an earlier download with KeepModTime has left. It
	// implies KeepModTime. S3's times are whole seconds: an object that was overwritten by one
	// of the same size within the second is not seen to have changed. Nor is a file whose
	// bytes have changed, and its size and time have not.
	SkipUnchanged bool

	// StopOnError cancels what is under way, and begins nothing new, once a download has
	// failed. Default: the others go on.
	StopOnError bool

	// Options are applied to each download, and once before to see what the listing needs.
	// They must not set ExpectedSize and ExtraArgs.VersionId, which belong to single objects.
	Options []func(*DownloadOptions)

	// OnStart is called with each download when it is queued. nil: not called.
	OnStart func(*Future)

	// OnFile is called with each download that has ended, once the file has its time, and
	// for each object that was refused, with a Future that was never under way. It is not
	// called for objects that are skipped. nil: not called.
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

// Directory is a DownloadDirectory under way. All methods may be called at any time, from
// any goroutine, also after Shutdown.
//
// When it ends, no download of it is under way. Files that have arrived stay, whatever
// becomes of the others.
type Directory struct {
	downloader          *Downloader
	bucket, prefix, dir string
	options             DirectoryOptions
	walk                *walk.Walk // nil: it was refused
	done                chan struct{}
	err                 error // written before done is closed, read only after
}

// DownloadDirectory begins to download all objects whose keys begin with prefix to files
// below dir, and returns its Directory at once. Every error is the Directory's result. When
// ctx ends, the downloads are canceled. A nil ctx panics. A relative dir is relative to the
// working directory at the time of the call.
//
// A file's name is the part of the key behind the last slash of prefix, with directories for
// its slashes: with the prefix "photos/2024" the object photos/2024/a.jpg becomes
// dir/2024/a.jpg, and with "photos/2024/" it becomes dir/a.jpg. dir, and the directories in
// it, are created when the first file needs them. A key that ends in a slash stands for a
// directory, which is created.
//
// A key that has no such name is refused with ErrUnsafeKey, as one failure of many: a key
// with a segment that is empty, "." or "..", or with a NUL; one whose file would be where a
// directory is or must be, or the other way round; one that a symbolic link would lead
// out of dir; one with a segment that has the name of a partial file (".NAME.part") or of its
// journal (".NAME.part.journal"), which a later download with Resume would believe; on
// Windows one with characters and names that Windows reserves. Where two names lead to one file (a directory
// equates them by case or Unicode normalisation, or there is a symbolic link), the key
// listed later is refused; 1,048,576 files are remembered for that. Do not use a dir below which others can write whom you do not trust:
// between the check of a directory and the rename of a file into it, they can set links.
//
// An object that is listed as smaller than MultipartThreshold takes one GetObject, as with
// DownloadOptions.SkipHead. A larger one takes a HeadObject first: a listing does not tell
// the checksums that verify it.
//
// The listing is read page by page, and the next page when no more than a fixed number of
// downloads are queued or under way: twice as many as the pool makes requests at a time, and
// at least 100. Millions of objects need no more memory than these.
func (d *Downloader) DownloadDirectory(ctx context.Context, bucket, prefix, dir string, optFns ...func(*DirectoryOptions)) *Directory {
	mustContext(ctx)
	var options DirectoryOptions
	for _, fn := range optFns {
		fn(&options)
	}
	options.KeepModTime = options.KeepModTime || options.SkipUnchanged
	directory := &Directory{
		downloader: d, bucket: bucket, prefix: prefix, dir: dir, options: options,
		done: make(chan struct{}),
	}
	if err := directory.start(ctx); err != nil {
		directory.end(err, nil)
	}
	return directory
}

func (d *Directory) start(ctx context.Context) error {
	options := d.downloader.defaults
	for _, fn := range d.options.Options {
		fn(&options)
	}
	if err := d.validate(options); err != nil {
		return err
	}
	dir, err := tree.Absolute(d.dir)
	if err != nil {
		return err
	}
	l, err := d.downloader.start()
	if err != nil {
		return err
	}
	d.walk = walk.New(ctx, l, walk.Options{
		Bucket: d.bucket, Prefix: d.prefix, Dir: dir,
		Flat: d.options.Flat, KeepModTime: d.options.KeepModTime,
		SkipUnchanged: d.options.SkipUnchanged, StopOnError: d.options.StopOnError,
		Small: d.downloader.ranges(&options).threshold,
		Args: ipc.Args{
			RequestPayer:        string(options.ExtraArgs.RequestPayer),
			ExpectedBucketOwner: options.ExtraArgs.ExpectedBucketOwner,
		},
		Logger: d.downloader.env.Logger,
	}, (*directoryOwner)(d))
	d.walk.Start()
	return nil
}

// Result blocks until the end. It returns nil when every object has its file, or else a
// *DirectoryError.
func (d *Directory) Result() error {
	<-d.done
	return d.err
}

// Done returns a channel that is closed when Result no longer blocks.
func (d *Directory) Done() <-chan struct{} { return d.done }

// Cancel cancels the downloads under way and begins no others. The result is ErrCanceled
// unless all had ended. Cancel does not block.
func (d *Directory) Cancel() {
	if d.walk != nil {
		d.walk.Cancel()
	}
}

// Progress returns how far the downloads are.
func (d *Directory) Progress() DirectoryProgress {
	if d.walk == nil {
		return DirectoryProgress{}
	}
	return DirectoryProgress(d.walk.Progress())
}

// end sets the result: an error if something ended the whole or if a download failed. It is
// called once.
func (d *Directory) end(err error, failures []error) {
	if err != nil || len(failures) > 0 {
		p := d.Progress()
		e := &DirectoryError{
			Bucket: d.bucket, Prefix: d.prefix, Dir: d.dir,
			Err: err, Failed: p.Failed, Listed: p.Listed,
		}
		for _, failure := range failures {
			e.Failures = append(e.Failures, failure.(*TransferError))
		}
		d.err = e
	}
	close(d.done)
}

// directoryOwner is a Directory as its walk.Walk knows it.
type directoryOwner Directory

func (o *directoryOwner) Wants(e ipc.Entry) bool {
	filter := o.options.Filter
	return filter == nil || filter(ObjectInfo{
		Key: string(e.Key), Size: e.Size, ETag: e.ETag, LastModified: e.LastModified, StorageClass: e.StorageClass,
	})
}

func (o *directoryOwner) New(key, filename string, small bool) (*transfer.Download, error) {
	options := o.options.Options
	if small {
		options = append(slices.Clip(options), func(o *DownloadOptions) { o.SkipHead = true })
	}
	f := o.downloader.newFuture(o.bucket, key, filename, options)
	f.path = filename
	return &f.download, f.meta.validate(true)
}

func (o *directoryOwner) Started(d *transfer.Download) { call(o.options.OnStart, d) }
func (o *directoryOwner) Ended(d *transfer.Download)   { call(o.options.OnFile, d) }

func call(fn func(*Future), d *transfer.Download) {
	if fn != nil {
		fn((*Future)(d.Owner().(*futureOwner)))
	}
}

func (o *directoryOwner) Wrap(op string, err error) error {
	return &TransferError{Op: op, Bucket: o.bucket, Key: o.prefix, Filename: o.dir, Err: err}
}

func (o *directoryOwner) End(err error, failures []error) { (*Directory)(o).end(err, failures) }
