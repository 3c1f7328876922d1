package transfer

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/osfile"
)

// Env is what all downloads of one Downloader share. Nobody changes it once a download was made.
type Env struct {
	Slow     time.Duration  // the least time that a slow range takes; 0 = 1 s
	Files    *osfile.System // nil: the operating system as it is
	Logger   *slog.Logger
	Counters *dispatch.Counters
	Go       func(func()) // starts a goroutine; nil: the go statement. Tests run the function when they like
}

// Verify says what must be proved of an object's bytes, as the public VerifyMode.
type Verify int

const (
	VerifyAuto Verify = iota
	VerifyRequired
	VerifyOff
	VerifyChecksums
)

// Request is what to download.
type Request struct {
	ID                    int64
	Bucket, Key, Filename string
	File                  *os.File // to write to; nil: Filename
	Args                  ipc.Args // ChecksumMode is set where bytes are verified
	ExpectedSize          int64    // bytes, or ipc.SizeUnknown
	SkipHead              bool
	Resume                bool
	Range                 *ipc.Range // nil: the whole object
	IfMatch, IfNoneMatch  string     // ETags with their quotes; "": none
	Verify                Verify
	Expect                []checksum.Stored // what the caller expects of the object's bytes, each of the kind checksum.Expected
	Durable               bool
	DirectIO              bool
	NoClobber             bool
	KeepModTime           bool
	Mode                  fs.FileMode          // permission bits of the file; 0: as sink has it
	Limit                 int64                // an object of this size or more is not fetched without HeadObject, in bytes
	Cut                   func(size int64) Cut // how an object of this size is split
	OnProgress            func(Progress)       // nil: nobody listens

	blind bool // the file cannot be read back
}

// Progress is how far a download is.
type Progress struct {
	BytesDone  int64
	BytesTotal int64 // ipc.SizeUnknown until it is known
}

// Object is what was downloaded.
type Object struct {
	Size         int64
	ETag         string
	VersionId    string
	LastModified time.Time
	Verified     string
	Resumed      int64
	Direct       int64
	Details      *ipc.Details // nil: S3 has told none
}

// Outcome is how a download has ended: with Err, or with the Object in its file.
type Outcome struct {
	Object Object
	Err    error // as Owner.Wrap made it
}

// Owner is the caller's side of a download.
type Owner interface {
	// Request returns what to download. It is called when the download begins.
	Request() Request
	// Wrap makes the error that the caller gets of one of the step op. Any goroutine may call it.
	Wrap(op string, err error) error
}

// Download is a download, from when it was asked for to its outcome. Until it begins, it costs no
// more than itself. All methods but those of dispatch.Entry may be called from any goroutine.
type Download struct {
	env   *Env
	owner Owner
	done  chan struct{}
	file  *os.File         // of the caller's, to be closed at the end; nil: none
	ends  chan<- *Download // of its Window; nil: none

	bytesDone, bytesTotal atomic.Int64

	listed struct { // by a listing; etag "": there is none
		size int64
		etag string
	}

	// committed is set once, by the rename or by the cancel that prevents it.
	committed atomic.Bool

	outcome Outcome // written before done is closed, read only after

	// Of the loop's goroutine.
	ticket dispatch.Ticket
	begun  bool
}

// Init makes d the download of its owner.
func (d *Download) Init(env *Env, owner Owner) {
	d.env, d.owner = env, owner
	d.done = make(chan struct{})
	d.bytesTotal.Store(ipc.SizeUnknown)
	env.Counters.Queued()
}

// Listed tells what a listing says of the object: an answer with the same ETag and another size
// contradicts it. Listed is for before Submit.
func (d *Download) Listed(size int64, etag string) { d.listed.size, d.listed.etag = size, etag }

// contradicted returns an error if S3's answer contradicts the listing. An object that was overwritten
// since then has another ETag.
func (d *Download) contradicted(o ipc.Object) error {
	if d.listed.etag == "" || d.listed.etag != o.ETag || d.listed.size == o.Size {
		return nil
	}
	return fmt.Errorf("%w: the listing says %d bytes, and the object with the same ETag %s has %d",
		failure.ErrUnexpected, d.listed.size, o.ETag, o.Size)
}

// Into gives the download the descriptor that its Request names, and that it closes when it ends.
// Into is for before Submit and Refuse.
func (d *Download) Into(f *os.File) { d.file = f }

// Owner returns what Init was given.
func (d *Download) Owner() Owner { return d.owner }

// Submit hands the download to the loop, and returns at once. When ctx ends, it is canceled.
func (d *Download) Submit(ctx context.Context, l *dispatch.Loop) {
	if !l.Do(func() { l.Submit(ctx, d) }) {
		d.Refuse(failure.OpStart, failure.ErrShutdown)
	}
}

// Cancel ends the download with cause unless it has ended. It does not wait.
func (d *Download) Cancel(l *dispatch.Loop, cause error) {
	select {
	case <-d.done:
	default:
		l.Do(func() { l.Cancel(d, cause) })
	}
}

// Done returns a channel that is closed when there is an outcome.
func (d *Download) Done() <-chan struct{} { return d.done }

// Outcome returns how the download has ended. It must not be called before Done is closed.
func (d *Download) Outcome() Outcome { return d.outcome }

// Progress returns how far the download is.
func (d *Download) Progress() Progress {
	return Progress{BytesDone: d.bytesDone.Load(), BytesTotal: d.bytesTotal.Load()}
}

// Ticket implements dispatch.Entry.
func (d *Download) Ticket() *dispatch.Ticket { return &d.ticket }

// Begin implements dispatch.Entry.
func (d *Download) Begin(l *dispatch.Loop) dispatch.Task { return begin(d, l) }

// Refuse implements dispatch.Entry. A download that is not submitted may also be refused by whoever
// made it.
func (d *Download) Refuse(op string, err error) { d.end(Object{}, d.owner.Wrap(op, err)) }

// Resolve ends a download that is not submitted, as if it had run: with o, or with err as it is.
func (d *Download) Resolve(o Object, err error) {
	if err == nil {
		length := o.Size
		if first, end, ok := d.owner.Request().Range.In(o.Size); ok {
			length = end - first
		}
		d.bytesDone.Store(length)
		d.bytesTotal.Store(length)
	}
	d.end(o, err)
}

// end sets the outcome. It is called once.
func (d *Download) end(o Object, err error) {
	d.outcome = Outcome{o, err}
	d.env.Counters.Ended(d.begun, err)
	if d.file != nil {
		d.file.Close() // Publish may have done so, and has reported its error
	}
	close(d.done)
	if d.ends != nil {
		d.ends <- d
	}
}
