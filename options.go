package processpool

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"unicode/utf8"

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
	// VerifyRequired is VerifyAuto, but ErrUnverifiable where S3 keeps neither. For a digest
	// of the whole object that does not combine, such as SHA256, a worker reads the file back.
	VerifyRequired
	// VerifyOff computes and compares nothing.
	VerifyOff
	// VerifyChecksums is VerifyAuto, but only checksums count, and no ETag: there are servers
	// whose ETags look like MD5s and are none.
	VerifyChecksums
)

func (m VerifyMode) String() string {
	return nameOf("VerifyMode", int(m), "auto", "required", "off", "checksums")
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

func (m SandboxMode) String() string { return nameOf("SandboxMode", int(m), "auto", "required", "off") }

// nameOf returns the name of a constant of a type whose constants are 0, 1, 2, ...
func nameOf(of string, n int, names ...string) string {
	if n < 0 || n >= len(names) {
		return fmt.Sprintf("%s(%d)", of, n)
	}
	return names[n]
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

	// Range has only these bytes downloaded; the file has them from its first byte on. A range that
	// reaches beyond the object's end is ErrSizeMismatch. No checksum of the object verifies a part of
	// it: Verified is empty, and VerifyRequired is ErrUnverifiable, unless the range is whole parts of
	// an upload whose checksums S3 keeps. ExpectedSize and Object.Size are the whole object's;
	// MultipartThreshold and the Progress are for the range. With SkipHead a range of known Length, less
	// than MultipartThreshold, is one request, which nothing verifies. nil: the whole object.
	Range *Range

	// Expect are the caller's own digests of the whole object, of S3's algorithms, each in base64.
	// They are compared besides what S3 keeps, whatever Verify says, and all of them must match:
	// otherwise it is ErrChecksumMismatch, and the destination stays as it is. CRCs are combined
	// from those of the ranges; for the others a worker reads the file of an object of several
	// ranges back before it appears. They satisfy VerifyRequired. See docs/integrity.md. nil: none.
	Expect []Checksum

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

	// Verify, Durable, DirectIO, MultipartThreshold and MultipartChunksize are this download's
	// own. An option function sees the values of Config, and may change them.
	Verify             VerifyMode
	Durable            bool
	DirectIO           bool
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

// validate checks the arguments of one download, which is to a file by name or to an open one.
func (m *Meta) validate(named bool) error {
	var f faults
	f.add(m.Bucket == "", "no bucket given")
	f.add(!strings.HasPrefix(m.Bucket, "arn:") && strings.Contains(m.Bucket, "/"),
		"the bucket %q contains a slash: give its name alone, without s3:// and key", m.Bucket)
	f.add(m.Key == "", "no key given")
	f.add(named && m.Filename == "", "no file name given")
	f.add(!utf8.ValidString(m.Key), "the key is not valid UTF-8, as every key in S3 is")
	f.add(isObjectLambda(m.Bucket), "the bucket is an S3 Object Lambda access point, whose answers have no ranges and no ETag: use GetObject")
	f.add(m.ExpectedSize != nil && *m.ExpectedSize < 0, "ExpectedSize is negative")
	if r := m.Range; r != nil {
		f.add(r.Offset < 0 || r.Length < 0, "Range is %d bytes at %d: neither can be negative", r.Length, r.Offset)
		f.add(r.Offset > math.MaxInt64-max(r.Length, 0), "Range is %d bytes at %d, which is beyond any object", r.Length, r.Offset)
	}
	f.etag("IfMatch", m.IfMatch)
	f.etag("IfNoneMatch", m.IfNoneMatch)
	f.add(m.IfMatch != "" && m.IfNoneMatch != "", "IfMatch and IfNoneMatch are both set: the download can have one condition")
	f.add(m.Mode&^fs.ModePerm != 0, "Mode is %#o: give permission bits, 0o777 at most", m.Mode)
	f.verify(m.Verify)
	f.expect(m.Expect)
	f.add(len(m.Expect) > 0 && m.Range != nil && *m.Range != (Range{}), "Expect and Range are both set: the digests are of the whole object")
	f.add(m.MultipartThreshold < 0 || m.MultipartChunksize < 0, "MultipartThreshold or MultipartChunksize is negative")
	a := m.ExtraArgs
	f.add(a.ChecksumMode != "" && a.ChecksumMode != types.ChecksumModeEnabled, "ExtraArgs.ChecksumMode is neither empty nor ENABLED")
	f.add(a.RequestPayer != "" && a.RequestPayer != types.RequestPayerRequester, "ExtraArgs.RequestPayer is neither empty nor requester")
	f.add((a.SSECustomerKey == "") != (a.SSECustomerAlgorithm == ""), "ExtraArgs sets only one of SSECustomerKey and SSECustomerAlgorithm")
	return f.err()
}

// validate checks the arguments of one DownloadDirectory. An error of a key is that object's
// failure.
func (d *Directory) validate(o DownloadOptions) error {
	var f faults
	f.add(d.dir == "", "no directory given")
	f.add(strings.IndexByte(d.dir, 0) >= 0, "the directory's name contains a NUL")
	f.add(!utf8.ValidString(d.prefix), "the prefix is not valid UTF-8, as every key in S3 is")
	f.add(o.ExpectedSize != nil, "Options set ExpectedSize, which belongs to a single object")
	f.add(o.Range != nil, "Options set Range, which belongs to a single object")
	f.add(o.IfMatch != "" || o.IfNoneMatch != "", "Options set IfMatch or IfNoneMatch, which belong to a single object")
	f.add(o.Expect != nil, "Options set Expect, which belongs to a single object")
	f.add(o.ExtraArgs.VersionId != "", "Options set ExtraArgs.VersionId, which belongs to a single object")
	o.ExpectedSize, o.Range, o.Expect = nil, nil, nil
	common := Meta{Bucket: d.bucket, Key: "any", Filename: "any", DownloadOptions: o}
	return errors.Join(f.err(), common.validate(true))
}

// isObjectLambda reports whether the bucket is arn:aws:s3-object-lambda:..., or the alias form
// ...--ol-s3 (https://docs.aws.amazon.com/AmazonS3/latest/userguide/transforming-objects.html).
func isObjectLambda(bucket string) bool {
	parts := strings.SplitN(bucket, ":", 4)
	return len(parts) == 4 && parts[0] == "arn" && parts[2] == "s3-object-lambda" || strings.HasSuffix(bucket, "--ol-s3")
}
