package ipc

import (
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/proof"
)

// Object is S3's description of the object.
type Object struct {
	Size         int64
	ETag         string
	VersionID    string
	LastModified time.Time
	Stored       []checksum.Stored // what S3 keeps; empty = none
	Layout       proof.Layout      // of its parts, if Head.Layout asked and Stored covers parts
	Encrypted    bool              // with KMS or a customer key, so that the ETag is not an MD5
	Barred       bool              `json:",omitempty"` // S3 keeps a checksum that the worker must not compute (checksum.Algorithm.Barred)
	Details      *Details          `json:",omitempty"` // of a Head, and of a Get that is Unconfirmed
}

// Details are what S3 says of the object besides, for the caller. A field that S3 does not send is
// empty.
type Details struct {
	ContentType, ContentEncoding, StorageClass string            `json:",omitempty"`
	Metadata                                   map[string]string `json:",omitempty"`
	Checksums                                  []Sum             `json:",omitempty"`
}

// MaxDetails bounds what a Future keeps of an object for its caller, in bytes. S3 allows 2 KiB of
// metadata (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html).
const MaxDetails = 64 << 10

// Size returns how many bytes the texts have; 0 for nil.
func (d *Details) Size() int {
	if d == nil {
		return 0
	}
	n := len(d.ContentType) + len(d.ContentEncoding) + len(d.StorageClass)
	for k, v := range d.Metadata {
		n += len(k) + len(v)
	}
	for _, sum := range d.Checksums {
		n += len(sum.Algorithm) + len(sum.Value)
	}
	return n
}

// Sum is a checksum as S3 writes it.
type Sum struct{ Algorithm, Value string }

// Found reports the first answer about an object that was Unconfirmed.
type Found struct {
	ID     uint64
	Object Object
	// Chosen is the checksum that verifies the object, if Get.Choose asked; nil = no checksum can.
	Chosen *checksum.Stored `json:",omitempty"`
}

// Progress reports how much of a job's range is in the file.
type Progress struct {
	ID      uint64
	Written int64
	Sum     uint64   // of those bytes, if the algorithm combines
	Record  uint64   `json:",omitempty"` // of those bytes, with Get.Record
	Also    [][]byte `json:",omitempty"` // of those bytes, by Get.Also; empty if it does not combine
}

// Retry reports an attempt that failed and will be retried.
type Retry struct {
	ID uint64
	// Attempt is the number of the attempt that failed, from 1, among all attempts of the request.
	Attempt int
	Wait    time.Duration // before the next attempt
	Asked   time.Duration `json:",omitempty"` // that the server asks to wait
	Cause   string
	Request string `json:",omitempty"` // S3's id of the attempt; "" = there was no answer
	Kind    failure.Kind
}

// Result ends a job: with Err, with the payload of the job's operation, or with Waited.
type Result struct {
	ID      uint64
	Request string        `json:",omitempty"` // S3's id of the last answer to a Get; "" = none
	Err     *failure.Wire `json:",omitempty"`

	Head  *HeadResult  `json:",omitempty"`
	Get   *GetResult   `json:",omitempty"`
	Parts *PartsResult `json:",omitempty"`
	List  *Page        `json:",omitempty"`
	Read  *ReadResult  `json:",omitempty"`
	// Waited: the job had not begun when a Cancel with Waiting came, and never will.
	Waited bool `json:",omitempty"`
}

// HeadResult answers a Head.
type HeadResult struct {
	Object Object
	Parts  []proof.PartSum `json:",omitempty"` // all of them, with Head.Range
}

// GetResult answers a Get.
type GetResult struct {
	// Unsuited: the object is beyond Get.Limit. Nothing was written, and the other fields are zero.
	Unsuited bool `json:",omitempty"`
	Object   Object
	Chosen   *checksum.Stored `json:",omitempty"` // as in Found
	Written  int64            // the length of the range
	Direct   int64            `json:",omitempty"` // how many of its bytes were written past the page cache
	Sum      uint64           // of the range, if the algorithm combines
	Digest   []byte           `json:",omitempty"` // of the range, if it does not
	Record   uint64           `json:",omitempty"` // of the range, with Get.Record
	Also     [][]byte         `json:",omitempty"` // of the range, by Get.Also
}

// PartsResult answers a Parts.
type PartsResult struct {
	Layout proof.Layout
	Parts  []proof.PartSum
}

// Listed holds entries of a page that is too large for one frame, in their order. The entries
// behind them come with further Listed, and the last with the Result.
type Listed struct {
	ID      uint64
	Entries []Entry
}

// Page answers a List. In a Result, the entries that were sent ahead as Listed are not in it.
type Page struct {
	Entries  []Entry
	Prefixes int    `json:",omitempty"` // how many groups of keys List.Delimiter has omitted
	Next     string // List.Token of the next page; "" = this page is the last
}

// Entry is an object in a listing.
type Entry struct {
	Key          []byte // not a string: JSON would replace what is not UTF-8 and name another key
	Size         int64
	ETag         string
	LastModified time.Time
	StorageClass string
}

// FrameSize returns at most how many bytes the entry takes in a frame. In the worst case JSON writes six
// bytes for one of a text.
func (e *Entry) FrameSize() int {
	const fields = 200 // their names, the numbers, the time, the punctuation
	return fields + (len(e.Key)+2)/3*4 + 6*(len(e.ETag)+len(e.StorageClass))
}

// ReadResult answers a Read.
type ReadResult struct {
	Sum    uint64   // if the algorithm combines
	Digest []byte   `json:",omitempty"` // if it does not
	Record uint64   `json:",omitempty"` // with Read.Record
	Also   [][]byte `json:",omitempty"` // by Read.Also
}

// Op returns the operation of the result's payload, or "" if it has none or more than one.
func (r *Result) Op() Op {
	return only(r.Head != nil, r.Get != nil, r.Parts != nil, r.List != nil, r.Read != nil)
}
