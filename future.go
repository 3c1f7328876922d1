package processpool

import (
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/failure"
)

// DownloadOptions are one download's own.
type DownloadOptions struct {
	// ExtraArgs are further fields of the requests, the HeadObject as well as every
	// GetObject.
	ExtraArgs ExtraArgs

	// ExpectedSize is the object's size in bytes, if the caller knows it: then no
	// HeadObject is made. An object of another size is ErrSizeMismatch. nil: not known.
	ExpectedSize *int64

	// SkipHead asks for the object with a GetObject at once, which suits small ones: it is
	// one request where there would be two, and the answer proves the same. If it shows an
	// object of MultipartThreshold bytes or more, or one whose checksum is that of its parts,
	// it is broken off, and the download goes on with HeadObject after all. No room
	// is set aside on the disk for an object that comes so. It changes nothing with
	// ExpectedSize or Resume. Default false.
	SkipHead bool

	// Resume keeps what has arrived when the download fails, is canceled, or its process or
	// machine ends, and goes on from what an earlier download of the same version of the
	// object has left. Until the file is complete it is kept beside the destination as
	// ".NAME.part", with a journal, ".NAME.part.journal": these two names are the library's.
	// The object is asked for with HeadObject also where ExpectedSize is given. See
	// docs/resume.md. Default false.
	Resume bool

	// OnProgress is called as bytes arrive, in order and never concurrently for one
	// download; words that it is too slow to hear are left out. The last call of a
	// success is made, and has returned, before Result does: OnProgress must not wait
	// for the same Future, nor call Shutdown.
	OnProgress func(Progress)

	// UserContext is the caller's own; Meta hands it back.
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

// Meta is what a download was asked for. The embedded options are as given.
type Meta struct {
	TransferID int64 // 0, 1, 2, ... in the order of the calls of one Downloader
	Bucket     string
	Key        string
	Filename   string
	DownloadOptions
}

// Progress is how far a download is. BytesDone counts bytes that are in the
// temporary file; it steps back when a lost worker takes unfinished ones with it.
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
	// Verified names what proved the bytes, algorithm and kind, such as "CRC64NVME
	// full object". Empty: nothing did.
	Verified string
	// Resumed is how many of the bytes were kept from earlier downloads. They were read
	// back and are part of what Verified says.
	Resumed int64
}

// Future is a download under way. All methods may be called at any time, from
// any goroutine, also after Shutdown.
//
// A Future ends once: the first error is its result, or the file is in place, and
// nothing that happens later changes that. When it has failed, the destination is
// as it was before.
type Future struct {
	meta       Meta
	downloader *Downloader
	done       chan struct{}

	bytesDone, bytesTotal atomic.Int64

	// Written before done is closed, read only after.
	err    error
	object Object

	// Of the scheduler's goroutine.
	active    *transfer // nil until it starts
	begun     bool
	ended     bool
	watched   <-chan struct{} // Done of the context; nil: it never ends
	committed atomic.Bool     // set once, by the rename or by what prevents it

	ends chan<- *Future // its Directory's, which has room for it; nil: none
}

func newFuture(d *Downloader, id int64, bucket, key, filename string, o DownloadOptions) *Future {
	if o.ExpectedSize != nil {
		size := *o.ExpectedSize // what the caller's variable becomes is another matter
		o.ExpectedSize = &size
	}
	f := &Future{
		meta:       Meta{TransferID: id, Bucket: bucket, Key: key, Filename: filename, DownloadOptions: o},
		downloader: d,
		done:       make(chan struct{}),
	}
	f.bytesTotal.Store(-1)
	d.counters.queued.Add(1)
	return f
}

// Result waits for the end and returns nil, when the file holds exactly the
// object's bytes, or a *TransferError.
func (f *Future) Result() error {
	<-f.done
	return f.err
}

// Done returns a channel that is closed when Result no longer blocks.
func (f *Future) Done() <-chan struct{} { return f.done }

// Cancel ends the download, within a second also in the middle of a range. The result
// becomes ErrCanceled unless the download has ended already. It does not wait.
func (f *Future) Cancel() { f.downloader.cancel(f, failure.ErrCanceled) }

// Meta returns what was asked for.
func (f *Future) Meta() Meta { return f.meta }

// Progress returns how far the download is.
func (f *Future) Progress() Progress {
	return Progress{BytesDone: f.bytesDone.Load(), BytesTotal: f.bytesTotal.Load()}
}

// Object returns what was downloaded; before success, and after an error, it is
// the zero Object.
func (f *Future) Object() Object {
	select {
	case <-f.done:
		return f.object
	default:
		return Object{}
	}
}

// fail wraps an error of the step op; one that is wrapped already stays.
func (f *Future) fail(op string, err error) error {
	return &TransferError{Op: op, Bucket: f.meta.Bucket, Key: f.meta.Key, Filename: f.meta.Filename, Err: err}
}

// settle ends the future. It is called once.
func (f *Future) settle(o Object, err error) {
	f.object, f.err = o, err
	f.downloader.counters.ended(f.begun, err)
	close(f.done)
	if f.ends != nil {
		f.ends <- f
	}
}
