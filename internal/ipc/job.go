package ipc

import "github.com/s3processpool/processpool/internal/checksum"

// Op names the operation that a job asks for: an operation of S3, or OpRead.
type Op string

const (
	OpHead  Op = "HeadObject"
	OpGet   Op = "GetObject"
	OpParts Op = "GetObjectAttributes"
	OpList  Op = "ListObjectsV2"
	OpRead  Op = "Read" // reads bytes that are in the file already, without a request to S3
)

// SizeUnknown is the size of an object, or the length of a range, that no answer has told yet.
const SizeUnknown = -1

// Args are the further fields of each request, as the caller has set them.
type Args struct {
	ChecksumMode         string `json:",omitempty"`
	VersionID            string `json:",omitempty"`
	SSECustomerAlgorithm string `json:",omitempty"`
	SSECustomerKey       string `json:",omitempty"`
	SSECustomerKeyMD5    string `json:",omitempty"`
	RequestPayer         string `json:",omitempty"`
	ExpectedBucketOwner  string `json:",omitempty"`
}

// Job asks a worker for one operation. Exactly one of the payloads is set. A Job is read-only: no
// one changes it once it is sent, and the worker does not change the one it receives.
type Job struct {
	ID     uint64
	Bucket string
	Key    string `json:",omitempty"` // empty for List
	Args   Args
	NoETag bool `json:",omitempty"` // an ETag verifies nothing, even if it looks like an MD5

	Head  *Head  `json:",omitempty"`
	Get   *Get   `json:",omitempty"`
	Parts *Parts `json:",omitempty"`
	List  *List  `json:",omitempty"`
	Read  *Read  `json:",omitempty"`
}

// Op returns the operation of the job's payload, or "" if it has none or more than one.
func (j *Job) Op() Op {
	return only(j.Head != nil, j.Get != nil, j.Parts != nil, j.List != nil, j.Read != nil)
}

// only returns the one operation that is set, or "".
func only(head, get, parts, list, read bool) (op Op) {
	set := 0
	for _, payload := range []struct {
		is bool
		op Op
	}{{head, OpHead}, {get, OpGet}, {parts, OpParts}, {list, OpList}, {read, OpRead}} {
		if payload.is {
			op = payload.op
			set++
		}
	}
	if set != 1 {
		return ""
	}
	return op
}

// Head asks for the object's description.
type Head struct {
	// Layout: also find the boundaries of the object's parts, if only checksums of parts can verify
	// the object.
	Layout bool `json:",omitempty"`
	// Range: only these bytes are wanted; nil = the whole object. If they are whole parts, Layout also
	// finds the checksums of the parts.
	Range *Range `json:",omitempty"`
	// IfMatch and IfNoneMatch are conditions of the caller's; "" = none.
	IfMatch     string `json:",omitempty"`
	IfNoneMatch string `json:",omitempty"`
}

// Range is a range of an object, in bytes. Length 0 is all that follows.
type Range struct{ Offset, Length int64 }

// In returns the offsets of the first byte and of the byte after the last one in an object of size
// bytes. It returns false if one of the bytes is beyond the object's end. A nil Range is the whole
// object.
func (r *Range) In(size int64) (first, end int64, ok bool) {
	switch {
	case r == nil:
		return 0, size, true
	case r.Length == 0:
		return r.Offset, size, r.Offset < size || r.Offset == 0
	}
	return r.Offset, r.Offset + r.Length, r.Offset <= size && r.Length <= size-r.Offset
}

// Get asks for one range of the object. The worker writes it to the descriptor that comes with the
// job, at the range's offset less Base.
type Get struct {
	ETag   string // which every answer must have; "" = not known
	Size   int64  // of the object, or SizeUnknown
	Offset int64
	Length int64 // of the range; SizeUnknown if it is the whole object, and its Size is
	Base   int64 `json:",omitempty"` // offset in the object of the file's first byte
	Whole  bool  `json:",omitempty"` // send one GetObject without a Range
	// Unconfirmed: no answer has described the object yet. Size is what the caller expects, or
	// SizeUnknown. The worker sends Found as soon as the first answer describes the object, unless
	// the Result follows at once.
	Unconfirmed bool `json:",omitempty"`
	// Expected: Size is what the caller expects, and not what an answer has told.
	Expected bool `json:",omitempty"`
	// IfNoneMatch is a condition of the caller's for the first answer; "" = none.
	IfNoneMatch string `json:",omitempty"`
	// Limit is set for a whole object of unknown size. If the object has Limit bytes or more, or if
	// it is to be verified and only checksums of its parts can do that, the result is Unsuited. 0 =
	// no limit.
	Limit int64 `json:",omitempty"`
	// Choose: the bytes are to be verified. If the object is Unconfirmed, the worker chooses a
	// checksum that the first answer names (proof.Choose) and reports it as Chosen.
	Choose bool `json:",omitempty"`
	// OneRange: the range is the whole object, so that a checksum that does not combine can verify
	// it. It is always set for a whole object of unknown size.
	OneRange bool `json:",omitempty"`
	// Checksum is the algorithm to sum the range's bytes with; "" = none. What the worker chooses
	// takes its place.
	Checksum checksum.Algorithm `json:",omitempty"`
	// Record is a second algorithm, for the journal of a download that can be resumed; "" = none.
	Record checksum.Algorithm `json:",omitempty"`
	// Also are further algorithms, each once, for digests that are compared besides.
	Also []checksum.Algorithm `json:",omitempty"`
	// EachWrite writes what has arrived at once, and reports each write: a worker was lost over the
	// range, and what the next one has done must be known if it is lost too.
	EachWrite bool `json:",omitempty"`
	// Align: what fills pages of this size, in bytes, is to be written past the page cache, by the
	// descriptor of the Direct that came before. 0 = no Direct came.
	Align int64 `json:",omitempty"`
	// WriteBack: start writing the range to the disk as soon as it is complete.
	WriteBack bool `json:",omitempty"`
}

// Direct carries a second descriptor, which writes past the page cache, of the file of the Get that
// follows; or of no job, if a Cancel follows.
type Direct struct{ ID uint64 }

// Parts asks for the object's parts and their checksums.
type Parts struct {
	ETag string
	Size int64
}

// List asks for one page of the bucket's keys.
type List struct {
	Prefix    string
	Delimiter string // omit keys that contain it behind the prefix; "" = none
	Token     string // Page.Next of the previous page; "" = the first page
}

// Read asks for the checksums of a range that is in the file already. The file is the descriptor
// that comes with the job.
type Read struct {
	Offset   int64
	Length   int64
	Checksum checksum.Algorithm   `json:",omitempty"`
	Record   checksum.Algorithm   `json:",omitempty"`
	Also     []checksum.Algorithm `json:",omitempty"` // as in Get
}

// Cancel ends a job early. The job's Result follows all the same.
type Cancel struct {
	ID uint64
	// Waiting: only if the job has not begun. Then its Result has Waited.
	Waiting bool `json:",omitempty"`
}
