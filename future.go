package processpool

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/partial"
	"github.com/s3processpool/processpool/internal/transfer"
)

// DownloadOptions are the options of one download. The zero value is the default.
type DownloadOptions struct {
	// ExtraArgs are further fields of the requests: of the HeadObject and of every
	// GetObject.
	ExtraArgs ExtraArgs

	// ExpectedSize is the object's size in bytes, if the caller knows it: then no
	// HeadObject is made. An object of another size is ErrSizeMismatch. nil: not known.
	ExpectedSize *int64

	// SkipHead starts with a GetObject of the whole object, which suits small ones: it is
	// one request instead of two, and verifies the same. If the answer shows an object of
	// MultipartThreshold bytes or more, or one whose checksum is that of its parts, the
	// request is broken off and the download continues with a HeadObject. No room is
	// set aside on the disk beforehand. SkipHead changes nothing with ExpectedSize or
	// Resume. Default false.
	SkipHead bool

	// Resume keeps what has arrived when the download fails or is canceled, or when its
	// process or the machine ends. The next download of the same version of the object to
	// the same file resumes there. Until the file is complete it is kept beside the
	// destination as ".NAME.part", with a journal, ".NAME.part.journal": these two names
	// belong to the library. Files that another user could have written are not resumed: the
	// download begins afresh, or fails if it cannot replace them. A HeadObject is made even
	// if ExpectedSize is given. See docs/resume.md. Default false.
	Resume bool

	// OnProgress is called as bytes arrive, in order and never concurrently for one
	// download. While a call runs, newer reports replace older ones. Before Result returns
	// nil, the last call has been made and has returned: OnProgress must not wait for the
	// same Future, nor call Shutdown. nil: not called.
	OnProgress func(Progress)

	// UserContext is the caller's own. Meta returns it.
	UserContext any
}

// ExtraArgs are exactly s3transfer's ALLOWED_DOWNLOAD_ARGS. Zero fields are not sent.
type ExtraArgs struct {
	ChecksumMode         types.ChecksumMode
	VersionId            string
	SSECustomerAlgorithm string
	SSECustomerKey       string
	SSECustomerKeyMD5    string
	RequestPayer         types.RequestPayer
	ExpectedBucketOwner  string
}

func (a *ExtraArgs) wire() ipc.Args {
	return ipc.Args{
		ChecksumMode:         string(a.ChecksumMode),
		VersionID:            a.VersionId,
		SSECustomerAlgorithm: a.SSECustomerAlgorithm,
		SSECustomerKey:       a.SSECustomerKey,
		SSECustomerKeyMD5:    a.SSECustomerKeyMD5,
		RequestPayer:         string(a.RequestPayer),
		ExpectedBucketOwner:  a.ExpectedBucketOwner,
	}
}

// Meta is what a download was asked for. The embedded options are as given.
type Meta struct {
	TransferID int64 // 0, 1, 2, ... in the order of one Downloader's calls
	Bucket     string
	Key        string
	Filename   string
	DownloadOptions
}

// Progress is how far a download is. BytesDone counts the bytes in the temporary file; it
// decreases when the bytes of a lost worker do not count any more.
type Progress struct {
	BytesDone  int64
	BytesTotal int64 // -1 until it is known
}

// Object is what was downloaded.
type Object struct {
	Size         int64
	ETag         string // as S3 sends it, with its quotes
	VersionId    string // empty where the bucket has no versions
	LastModified time.Time
	// Verified names what verified the bytes, algorithm and kind, such as "CRC64NVME
	// full object". Empty: nothing did.
	Verified string
	// Resumed is how many of the bytes were kept from earlier downloads. They were read
	// back, and Verified covers them.
	Resumed int64
}

// Future is a download under way. All methods may be called at any time, from any
// goroutine, also after Shutdown.
//
// A Future ends once: with its first error, or with the file in place. Nothing that
// happens later changes that. After an error the destination is as it was before.
type Future struct {
	meta       Meta
	path       string // of the file, absolute
	downloader *Downloader
	download   transfer.Download
}

// newFuture makes the Future of the next download.
func (d *Downloader) newFuture(bucket, key, filename string, optFns []func(*DownloadOptions)) *Future {
	f := &Future{downloader: d}
	o := &f.meta.DownloadOptions
	for _, fn := range optFns {
		fn(o)
	}
	o.ExpectedSize = copied(o.ExpectedSize)
	f.meta.TransferID = d.nextID()
	f.meta.Bucket, f.meta.Key, f.meta.Filename = bucket, key, filename
	f.download.Init(&d.env, (*futureOwner)(f))
	return f
}

// copied makes what the caller's variable becomes later of no effect.
func copied(p *int64) *int64 {
	if p == nil {
		return nil
	}
	n := *p
	return &n
}

// Result blocks until the download has ended. It returns nil when the file has exactly the
// object's bytes, or else a *TransferError.
func (f *Future) Result() error {
	<-f.download.Done()
	return f.download.Outcome().Err
}

// Done returns a channel that is closed when Result no longer blocks.
func (f *Future) Done() <-chan struct{} { return f.download.Done() }

// Cancel cancels the download, within a second even in the middle of a range. The result is
// ErrCanceled unless the download has ended already. Cancel does not block.
func (f *Future) Cancel() {
	if l := f.downloader.started(); l != nil {
		f.download.Cancel(l, failure.ErrCanceled)
	}
}

// Meta returns what was asked for.
func (f *Future) Meta() Meta {
	m := f.meta
	m.ExpectedSize = copied(m.ExpectedSize)
	return m
}

// Progress returns how far the download is.
func (f *Future) Progress() Progress { return Progress(f.download.Progress()) }

// Object returns what was downloaded. Before success, and after an error, it is the zero
// Object.
func (f *Future) Object() Object {
	select {
	case <-f.download.Done():
		return Object(f.download.Outcome().Object)
	default:
		return Object{}
	}
}

// futureOwner is a Future as its transfer.Download knows it.
type futureOwner Future

func (o *futureOwner) Request() transfer.Request {
	m := &o.meta
	r := transfer.Request{
		ID: m.TransferID, Bucket: m.Bucket, Key: m.Key, Filename: o.path,
		Args: m.ExtraArgs.wire(), ExpectedSize: ipc.SizeUnknown, SkipHead: m.SkipHead, Resume: m.Resume,
	}
	if m.ExpectedSize != nil {
		r.ExpectedSize = *m.ExpectedSize
	}
	if call := m.OnProgress; call != nil {
		r.OnProgress = func(p transfer.Progress) { call(Progress(p)) }
	}
	return r
}

func (o *futureOwner) Wrap(op string, err error) error {
	return &TransferError{Op: op, Bucket: o.meta.Bucket, Key: o.meta.Key, Filename: o.meta.Filename, Err: err}
}

// CleanPartials removes from a directory, and not from those below it, what downloads have left
// that were last written to before olderThan ago and did not clean up themselves: partial files of
// DownloadOptions.Resume with their journals, journals without their file, and temporary files of
// processes that were killed. It returns the paths of the files that it removed.
//
// It removes only files of the effective user, and of those only what it knows to be the library's,
// by a mark, an extended attribute ("user.processpool") that is there until the file is complete.
// Where the file system keeps no such marks, an intact journal is enough to remove it and its
// partial file, and temporary files stay. A file that a download of any process is writing to stays
// too, however old it is. The error joins those of all files that could not be removed.
func CleanPartials(dir string, olderThan time.Duration) (removed []string, err error) {
	removed, err = partial.Clean(dir, time.Now().Add(-olderThan))
	if err != nil {
		err = fmt.Errorf("processpool: clean %s: %w", dir, err)
	}
	return removed, err
}
