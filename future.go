package processpool

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/resolved"
	"github.com/s3processpool/processpool/internal/transfer"
)

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
	// full object"; "SHA256 expected" is a digest of Expect. Empty: nothing did.
	Verified string
	// Resumed is how many of the bytes were kept from earlier downloads. They were read
	// back, and Verified covers them.
	Resumed int64
	// Direct is how many of the bytes were written past the page cache, with DirectIO.
	Direct int64

	// What else S3 says of the object, as HeadObject has it. A field that S3 does not send is empty.
	ContentType     string
	ContentEncoding string
	StorageClass    string            // S3 sends none for STANDARD
	Metadata        map[string]string // the user's, keys without x-amz-meta-; not to be changed
	Checksums       []Checksum        // those that S3 keeps, and that the answer has; not to be changed
}

// newObject makes the caller's Object of what a transfer has downloaded.
func newObject(o transfer.Object) Object {
	object := Object{
		Size: o.Size, ETag: o.ETag, VersionId: o.VersionId, LastModified: o.LastModified,
		Verified: o.Verified, Resumed: o.Resumed, Direct: o.Direct,
	}
	if d := o.Details; d != nil {
		object.ContentType, object.ContentEncoding, object.StorageClass = d.ContentType, d.ContentEncoding, d.StorageClass
		object.Metadata = d.Metadata
		for _, sum := range d.Checksums {
			object.Checksums = append(object.Checksums, Checksum{types.ChecksumAlgorithm(sum.Algorithm), sum.Value})
		}
	}
	return object
}

// transferred is the way back: it makes the transfer.Object of which newObject makes o.
func (o *Object) transferred() transfer.Object {
	details := &ipc.Details{
		ContentType: o.ContentType, ContentEncoding: o.ContentEncoding, StorageClass: o.StorageClass,
		Metadata: o.Metadata,
	}
	for _, sum := range o.Checksums {
		details.Checksums = append(details.Checksums, ipc.Sum{Algorithm: string(sum.Algorithm), Value: sum.Value})
	}
	return transfer.Object{
		Size: o.Size, ETag: o.ETag, VersionId: o.VersionId, LastModified: o.LastModified,
		Verified: o.Verified, Resumed: o.Resumed, Direct: o.Direct, Details: details,
	}
}

// Future is a download under way. All methods may be called at any time, from any
// goroutine, also after Shutdown.
//
// A Future ends once: with its first error, or with the file in place. Nothing that
// happens later changes that. After an error the destination is as it was before.
type Future struct {
	meta       Meta
	path       string   // of the file, absolute
	file       *os.File // of DownloadTo; nil: path
	downloader *Downloader
	download   transfer.Download
}

// newFuture makes the Future of the next download.
func (d *Downloader) newFuture(bucket, key, filename string, optFns []func(*DownloadOptions)) *Future {
	f := &Future{downloader: d}
	o := &f.meta.DownloadOptions
	*o = d.defaults
	for _, fn := range optFns {
		fn(o)
	}
	o.ExpectedSize, o.Range, o.Expect = copied(o.ExpectedSize), copied(o.Range), slices.Clone(o.Expect)
	f.meta.TransferID = d.nextID()
	f.meta.Bucket, f.meta.Key, f.meta.Filename = bucket, key, filename
	f.download.Init(&d.env, (*futureOwner)(f))
	return f
}

func init() {
	resolved.New = func(meta, object any, err error) any {
		return newResolved(meta.(Meta), object.(Object), err)
	}
}

// newResolved makes the Future of processpooltest.Resolved.
func newResolved(meta Meta, object Object, err error) *Future {
	d := &Downloader{} // of this Future alone, and never started
	d.env.Counters = &d.counters
	f := &Future{meta: meta, downloader: d}
	f.meta.ExpectedSize, f.meta.Range, f.meta.Expect = copied(meta.ExpectedSize), copied(meta.Range), slices.Clone(meta.Expect)
	f.download.Init(&d.env, (*futureOwner)(f))
	if err != nil {
		object = Object{}
	}
	f.download.Resolve(object.transferred(), err)
	return f
}

// copied makes what the caller's variable becomes later of no effect.
func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// Result blocks until the download has ended. It returns nil when the file has exactly the
// object's bytes, or else a *TransferError.
func (f *Future) Result() error {
	<-f.download.Done()
	return f.download.Outcome().Err
}

// Wait blocks until the download has ended, and returns what was downloaded with Result's error. If
// ctx ends first, Wait gives up waiting and returns the error of ctx; the download goes on. A nil ctx
// panics.
func (f *Future) Wait(ctx context.Context) (Object, error) {
	mustContext(ctx)
	select {
	case <-f.download.Done():
	default:
		select {
		case <-f.download.Done():
		case <-ctx.Done():
			return Object{}, ctx.Err()
		}
	}
	return f.Object(), f.Result()
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
	m.ExpectedSize, m.Range, m.Expect = copied(m.ExpectedSize), copied(m.Range), slices.Clone(m.Expect)
	return m
}

// Progress returns how far the download is.
func (f *Future) Progress() Progress { return Progress(f.download.Progress()) }

// Object returns what was downloaded. Before success, and after an error, it is the zero
// Object.
func (f *Future) Object() Object {
	select {
	case <-f.download.Done():
		return newObject(f.download.Outcome().Object)
	default:
		return Object{}
	}
}

// futureOwner is a Future as its transfer.Download knows it.
type futureOwner Future

func (o *futureOwner) Request() transfer.Request {
	m := &o.meta
	rule := o.downloader.ranges(&m.DownloadOptions)
	r := transfer.Request{
		ID: m.TransferID, Bucket: m.Bucket, Key: m.Key, Filename: o.path, File: o.file,
		Args: m.ExtraArgs.wire(), ExpectedSize: ipc.SizeUnknown, SkipHead: m.SkipHead, Resume: m.Resume,
		IfMatch: quoted(m.IfMatch), IfNoneMatch: quoted(m.IfNoneMatch),
		Verify: transfer.Verify(m.Verify), Durable: m.Durable, DirectIO: m.DirectIO,
		NoClobber: m.NoClobber, KeepModTime: m.KeepModTime, Mode: m.Mode,
		Limit: rule.threshold, Cut: rule.cut,
	}
	r.Expect, _ = expected(m.Expect)
	if m.ExpectedSize != nil {
		r.ExpectedSize = *m.ExpectedSize
	}
	if m.Range != nil && *m.Range != (Range{}) {
		r.Range = (*ipc.Range)(m.Range)
	}
	if call := m.OnProgress; call != nil {
		r.OnProgress = func(p transfer.Progress) { call(Progress(p)) }
	}
	return r
}

func (o *futureOwner) Wrap(op string, err error) error {
	return &TransferError{Op: op, Bucket: o.meta.Bucket, Key: o.meta.Key, Filename: o.meta.Filename, Err: err}
}
