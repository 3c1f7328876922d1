package processpool

import (
	"fmt"
	"strings"

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
	// belong to the library. A HeadObject is made even if ExpectedSize is given. See
	// docs/resume.md. Default false.
	Resume bool

	// IfMatch is an ETag, with or without its quotes: an object with another ETag is
	// ErrObjectChanged. "": no condition.
	IfMatch string

	// IfNoneMatch is an ETag, with or without its quotes: an object with this ETag is
	// ErrNotModified, and the destination stays as it is. "": no condition.
	IfNoneMatch string

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
