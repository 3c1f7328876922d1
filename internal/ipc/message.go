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
const Version = 1

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

// Op is what a job asks of S3.
type Op string

const (
	OpHead Op = "HeadObject"
	OpGet  Op = "GetObject"
	// OpParts asks how the object was uploaded: its parts and their checksums.
	OpParts Op = "GetObjectAttributes"
	// OpList asks for one page of a bucket's keys.
	OpList Op = "ListObjectsV2"
	// OpRead asks nothing of S3: it reads bytes back that are in the file already.
	OpRead Op = "Read"
)

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

// Job is one HeadObject, one page of a listing, or one range of an object to be
// written to, or read from, the descriptor that comes with it.
type Job struct {
	ID          uint64
	Op          Op
	Bucket, Key string
	Args        Args

	ETag   string // what the object must still be; "" = not known
	Size   int64  // the object's
	Offset int64
	Length int64
	Whole  bool // one GET without a Range
	// Unconfirmed: Size is the caller's word. The worker sends Found when the
	// first answer has confirmed it, or leaves that to a Result that is soon to come.
	Unconfirmed bool
	// Limit: Size and Length are not known. An answer of Limit bytes or more, or of an
	// object whose checksum is of its parts, is Unsuited; 0 = they are known.
	Limit int64 `json:",omitempty"`
	// Checksum is computed over the range's bytes; "" = none.
	Checksum checksum.Algorithm
	// Record is computed beside it, for the journal of a download that may be resumed;
	// "" = none.
	Record checksum.Algorithm
	// WriteBack: the range is to be on its way to the disk when it has arrived.
	WriteBack bool `json:",omitempty"`
	// Choose: the bytes are to be proved. HeadObject finds out all that takes; of an
	// Unconfirmed object the first answer tells the Checksum (proof.Choose).
	Choose bool

	List *List `json:",omitempty"` // OpList, which has no Key
}

// List says which page of which keys is asked for.
type List struct {
	Prefix    string
	Delimiter string // keys that have it behind the prefix are left out; "" = none are
	Token     string // the page before's Page.Next; "" = the first page
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

// Found tells of the object as soon as the first GET is answered.
type Found struct {
	ID     uint64
	Object Object
}

// Progress tells how much of a job's range is in the file.
type Progress struct {
	ID      uint64
	Written int64
	Sum     uint64 // CRC of those bytes, where Job.Checksum combines
	Record  uint64 `json:",omitempty"` // that of Job.Record
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

// Result ends a job.
type Result struct {
	ID      uint64
	Object  Object
	Written int64
	Sum     uint64          // of a checksum that combines
	Digest  []byte          // of one that does not
	Record  uint64          `json:",omitempty"` // of Job.Record
	Request string          `json:",omitempty"` // OpGet: S3's id of the last one
	Parts   []proof.PartSum `json:",omitempty"` // OpParts: with Object.Layout
	Page    *Page           `json:",omitempty"` // OpList
	// Unsuited: the object is none for a Job with a Limit; nothing was written.
	Unsuited bool `json:",omitempty"`
	Err      *failure.Wire
}

// Page is a part of a listing.
type Page struct {
	Entries []Entry
	Next    string // what asks for the page behind; "" = this is the last
}

// Entry is an object as a listing has it.
type Entry struct {
	Key          []byte // JSON would mend one that is no UTF-8, and so name another
	Size         int64
	ETag         string
	LastModified time.Time
	StorageClass string
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
