package processpool

import (
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/ipc"
)

// VerifyMode says what must be proved of an object's bytes before the file appears.
type VerifyMode int

const (
	// VerifyAuto compares the bytes with what S3 keeps: a checksum, or an ETag that is
	// an MD5. Where S3 keeps neither, the download succeeds and Object().Verified is
	// empty.
	VerifyAuto VerifyMode = iota
	// VerifyRequired is VerifyAuto, but ErrUnverifiable where S3 keeps neither.
	VerifyRequired
	// VerifyOff computes and compares nothing.
	VerifyOff
	// VerifyChecksums is VerifyAuto, but only checksums count, and no ETag: there are servers
	// whose ETags look like MD5s and are none.
	VerifyChecksums
)

func (m VerifyMode) String() string {
	switch m {
	case VerifyAuto:
		return "auto"
	case VerifyRequired:
		return "required"
	case VerifyOff:
		return "off"
	case VerifyChecksums:
		return "checksums"
	}
	return fmt.Sprintf("VerifyMode(%d)", int(m))
}

// SandboxMode says whether workers are fenced in.
type SandboxMode int

const (
	// SandboxAuto takes what the system has: Landlock and seccomp on Linux, nothing on other
	// systems. Stats and the log tell what that is. A WorkerCommand gets no fence.
	SandboxAuto SandboxMode = iota
	// SandboxRequired has Start fail, with an error that names what is missing and is
	// errors.ErrUnsupported, unless the whole fence can be had.
	SandboxRequired
	// SandboxOff has no fence.
	SandboxOff
)

func (m SandboxMode) String() string {
	switch m {
	case SandboxAuto:
		return "auto"
	case SandboxRequired:
		return "required"
	case SandboxOff:
		return "off"
	}
	return fmt.Sprintf("SandboxMode(%d)", int(m))
}

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

	// IfMatch is an ETag, with or without its quotes: an object with another ETag is
	// ErrObjectChanged. "": no condition.
	IfMatch string

	// IfNoneMatch is an ETag, with or without its quotes: an object with this ETag is
	// ErrNotModified, and the destination stays as it is. "": no condition.
	IfNoneMatch string

	// NoClobber replaces no file: a destination that exists is ErrExists, before any request is made. If
	// it appears later, it is ErrExists too, and stays: the rename itself decides, and no other
	// program can come in between. A symbolic link is followed, and what it points to decides. With
	// Resume, what has arrived is kept when the destination appears. Default: a file is replaced.
	NoClobber bool

	// KeepModTime sets the file's modification time to the object's LastModified, before the file
	// appears. A file whose time cannot be set is an error whose Op is OpChtimes, and does not
	// appear. Default, and where S3 sends no LastModified: the time at which the file was written.
	KeepModTime bool

	// Mode has the permission bits of the file, which gets exactly these, whatever the umask, and
	// whether it replaces a file. Other bits are refused. A file that cannot have them is an error. On
	// Windows only the bit 0o200 counts: without it the file is read-only. Default 0: those of the
	// file that is replaced, if it is the user's own, or else 0o666 less the umask.
	Mode fs.FileMode

	// Verify, Durable, MultipartThreshold and MultipartChunksize are this download's own. An
	// option function sees the values of Config, and may change them.
	Verify             VerifyMode
	Durable            bool
	MultipartThreshold int64 // bytes; 0: that of Config
	MultipartChunksize int64 // bytes; 0: that of Config

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

// Checksum is a checksum of an object.
type Checksum struct {
	Algorithm types.ChecksumAlgorithm
	Value     string // base64, as S3 writes it; -N follows that of N parts
}

// Format implements fmt.Formatter: as without it, but for SSECustomerKey, which is a secret.
// Meta and DownloadOptions are formatted with it, too. JSON is not.
func (a ExtraArgs) Format(s fmt.State, verb rune) {
	type given = ExtraArgs
	type ExtraArgs given // without this method
	if a.SSECustomerKey != "" {
		a.SSECustomerKey = "(hidden)"
	}
	fmt.Fprintf(s, fmt.FormatString(s, verb), ExtraArgs(a))
}

// quoted returns an ETag with its quotes, which S3 demands and people leave out; "" stays.
func quoted(etag string) string {
	if etag == "" || strings.HasPrefix(etag, `"`) {
		return etag
	}
	return `"` + etag + `"`
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

// etag adds what is wrong with an ETag that is a condition. A weak one never matches (RFC 9110,
// 13.1.1).
func (f *faults) etag(name, etag string) {
	f.add(strings.HasPrefix(etag, "W/"), "%s is a weak ETag, which S3 does not have", name)
	f.add(etag == "*", "%s is *: give an ETag", name)
	f.add(strings.ContainsFunc(etag, func(r rune) bool { return r < ' ' || r == 0x7f }) || strings.Count(etag, `"`)%2 != 0 ||
		strings.Contains(strings.Trim(etag, `"`), `"`), "%s is not one ETag: %q", name, etag)
}
