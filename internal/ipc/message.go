package ipc

import (
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/proof"
	"github.com/s3processpool/processpool/internal/settings"
)

// Version is the protocol's. Both sides must speak the same one: a worker is
// normally the same executable, and a slim one is built from the same module.
const Version = 2

// Hello is a worker's first word.
type Hello struct {
	Version int
	PID     int
}

// Setup answers a Hello: all that a worker must know.
type Setup struct {
	Version  int
	Settings settings.Settings
}

// Ready says that the worker has made its client and takes jobs.
type Ready struct{}

// Op names what a job asks for: the operation of S3, or Read.
type Op string

const (
	OpHead  Op = "HeadObject"
	OpGet   Op = "GetObject"
	OpParts Op = "GetObjectAttributes"
	OpList  Op = "ListObjectsV2"
	OpRead  Op = "Read" // of bytes that are in the file already; S3 is not asked
)

// SizeUnknown stands for the size of an object, or the length of a range, that no answer has told yet.
const SizeUnknown = -1

// Args are the caller's further fields of each request.
type Args struct {
	ChecksumMode         string `json:",omitempty"`
	VersionID            string `json:",omitempty"`
	SSECustomerAlgorithm string `json:",omitempty"`
	SSECustomerKey       string `json:",omitempty"`
	SSECustomerKeyMD5    string `json:",omitempty"`
	RequestPayer         string `json:",omitempty"`
	ExpectedBucketOwner  string `json:",omitempty"`
}

// Job asks a worker for one operation: exactly one of the payloads is set. Nobody changes a Job
// once it is sent.
type Job struct {
	ID     uint64
	Bucket string
	Key    string `json:",omitempty"` // empty for List
	Args   Args

	Head  *Head  `json:",omitempty"`
	Get   *Get   `json:",omitempty"`
	Parts *Parts `json:",omitempty"`
	List  *List  `json:",omitempty"`
	Read  *Read  `json:",omitempty"`
}

// Op returns the operation of the job's payload, or "" if it has none or more than one.
func (j *Job) Op() Op {
	var op Op
	set := 0
	for _, payload := range []struct {
		is bool
		op Op
	}{
		{j.Head != nil, OpHead}, {j.Get != nil, OpGet}, {j.Parts != nil, OpParts},
		{j.List != nil, OpList}, {j.Read != nil, OpRead},
	} {
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

// Head asks what the object is.
type Head struct {
	// Layout: find out where the object's parts begin, too, if nothing but a checksum of parts can
	// verify it.
	Layout bool `json:",omitempty"`
}

// Get asks for one range of the object, to be written to the descriptor that comes with the job,
// at the range's offset.
type Get struct {
	ETag   string // that every answer must bear; "" = not known
	Size   int64  // of the object, or SizeUnknown
	Offset int64
	Length int64 // of the range; SizeUnknown if Size is
	Whole  bool  `json:",omitempty"` // one GetObject without a Range
	// Unconfirmed: Size is the caller's word, or SizeUnknown. The worker sends Found when the first
	// answer has told the object, or leaves that to a Result that follows at once.
	Unconfirmed bool `json:",omitempty"`
	// Limit bounds an object of unknown size: for one of Limit bytes or more, or one whose checksum is
	// that of its parts, the result is Unsuited. 0 = no limit.
	Limit int64 `json:",omitempty"`
	// Choose: the bytes are to be verified. Of an Unconfirmed object the first answer says by what, and
	// the worker chooses (proof.Choose) and reports its choice.
	Choose bool `json:",omitempty"`
	// OneRange: the range is the whole object, so that a checksum which does not combine can verify it.
	OneRange bool `json:",omitempty"`
	// Checksum is computed over the range's bytes; "" = none.
	Checksum checksum.Algorithm `json:",omitempty"`
	// Record is computed besides, for the journal of a download that may be resumed; "" = none.
	Record checksum.Algorithm `json:",omitempty"`
	// WriteBack: start writing the range to the disk as soon as it has arrived.
	WriteBack bool `json:",omitempty"`
}

// Parts asks how the object was uploaded: its parts and their checksums.
type Parts struct {
	ETag string
	Size int64
}

// List asks for one page of the bucket's keys.
type List struct {
	Prefix    string
	Delimiter string // leave out keys that have it behind the prefix; "" = none
	Token     string // Page.Next of the page before; "" = the first page
}

// Read asks for the checksums of a range that is in the file already, through the descriptor that
// comes with the job.
type Read struct {
	Offset   int64
	Length   int64
	Checksum checksum.Algorithm `json:",omitempty"`
	Record   checksum.Algorithm `json:",omitempty"`
}

// Cancel ends a job early. Its Result comes all the same.
type Cancel struct{ ID uint64 }

// Object is what S3's answer says of the object.
type Object struct {
	Size         int64
	ETag         string
	VersionID    string
	LastModified time.Time
	Stored       []checksum.Stored // as S3 keeps it; empty = none
	Layout       proof.Layout      // of its parts, where Stored covers them
	Encrypted    bool              // with KMS or the customer's key: the ETag is no MD5
}

// Found tells of an Unconfirmed object as soon as the first GET is answered.
type Found struct {
	ID     uint64
	Object Object
	Chosen *checksum.Stored `json:",omitempty"` // what verifies it, where Get.Choose asked; nil = nothing can
}

// Progress tells how much of a job's range is in the file.
type Progress struct {
	ID      uint64
	Written int64
	Sum     uint64 // of those bytes, where Get.Checksum is a CRC
	Record  uint64 `json:",omitempty"` // that of Get.Record
}

// Retry tells of an attempt that failed and will be made again.
type Retry struct {
	ID      uint64
	Attempt int
	Wait    time.Duration
	Cause   string
	Request string `json:",omitempty"` // S3's id of the attempt; "" = there was no answer
	Kind    failure.Kind
}

// Result ends a job: with Err, or with the payload of the job's operation.
type Result struct {
	ID      uint64
	Request string        `json:",omitempty"` // S3's id of the last answer; "" = none
	Err     *failure.Wire `json:",omitempty"`

	Head  *HeadResult  `json:",omitempty"`
	Get   *GetResult   `json:",omitempty"`
	Parts *PartsResult `json:",omitempty"`
	List  *Page        `json:",omitempty"`
	Read  *ReadResult  `json:",omitempty"`
}

// HeadResult answers a Head.
type HeadResult struct{ Object Object }

// GetResult answers a Get.
type GetResult struct {
	// Unsuited: the object is beyond Get.Limit. Nothing was written, and the other fields are zero.
	Unsuited bool `json:",omitempty"`
	Object   Object
	Chosen   *checksum.Stored `json:",omitempty"` // as in Found
	Written  int64
	Sum      uint64 // of a checksum that combines
	Digest   []byte `json:",omitempty"` // of one that does not
	Record   uint64 `json:",omitempty"` // of Get.Record
}

// PartsResult answers a Parts.
type PartsResult struct {
	Layout proof.Layout
	Parts  []proof.PartSum
}

// Page answers a List: a part of a listing.
type Page struct {
	Entries []Entry
	Next    string // the Token that asks for the next page; "" = this is the last
}

// Entry is an object as a listing has it.
type Entry struct {
	Key          []byte // JSON would mend one that is not UTF-8, and so name another
	Size         int64
	ETag         string
	LastModified time.Time
	StorageClass string
}

// ReadResult answers a Read.
type ReadResult struct {
	Sum    uint64 // of a checksum that combines
	Digest []byte `json:",omitempty"` // of one that does not
	Record uint64 `json:",omitempty"`
}

// Ask asks the pool for credentials.
type Ask struct {
	// Refused are the access key and the session token of those that S3 has refused
	// as expired; empty = none.
	RefusedKey, RefusedToken string
}

// Credentials answer an Ask.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	AccountID       string
	Source          string
	CanExpire       bool
	Expires         time.Time
	Err             string
}

// Handle is the number of a handle that the pool has duplicated into the worker, for the
// message behind it. Windows only.
type Handle struct{ Number uint64 }

// Ping asks a worker for a Pong.
type Ping struct{}

// Pong answers a Ping.
type Pong struct{}

// Stop asks a worker to end. The pool stops when no transfer is left, so what jobs
// there are nobody waits for.
type Stop struct{}
