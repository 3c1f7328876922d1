package s3test

import (
	"encoding/base64"
	"io"
	"slices"
	"time"
)

// Object is one version of an object. The option functions of Put and PutContent may change it. A
// stored Object does not change.
type Object struct {
	Bucket, Key  string
	Size         int64
	ETag         string // with quotes; "" until Put has computed it
	VersionID    string // "" in a bucket without versioning
	LastModified time.Time

	// Checksums as S3 sends them, keyed by the suffix of their header ("crc32c").
	Checksums     map[string]string
	ChecksumType  string              // FULL_OBJECT or COMPOSITE
	Parts         []int64             // part sizes of a multipart upload; nil: one PUT
	PartChecksums []map[string]string // by part; nil: none

	ContentType  string            // default binary/octet-stream
	StorageClass string            // "": STANDARD; GLACIER and DEEP_ARCHIVE are not to be read
	Header       map[string]string // additional response headers, e.g. Content-Encoding, x-amz-meta-a

	content      io.ReaderAt
	noETag       bool
	deleteMarker bool
	ssecKey      []byte
	alg, algType string // checksum to compute
}

// WithChecksum replaces the checksum of an object with one that is computed from its content. alg
// is the lower-case name of one of S3's ten algorithms; typ is FULL_OBJECT or COMPOSITE, which
// needs WithParts. ("", "") means no checksum. As on S3, an object with a composite checksum also
// has checksums of its parts.
func WithChecksum(alg, typ string) func(*Object) {
	return func(o *Object) { o.alg, o.algType = alg, typ }
}

// WithParts makes the object a multipart upload. The sizes of the parts must add up to the size of
// the object.
func WithParts(sizes ...int64) func(*Object) {
	return func(o *Object) { o.Parts = slices.Clone(sizes) }
}

// WithoutETag omits the ETag header from responses.
func WithoutETag() func(*Object) {
	return func(o *Object) { o.noETag = true }
}

// WithSSEC stores the object with a customer key (base64), which requests must contain. As on S3,
// its ETag is not the MD5 of the content. Unlike S3, the origin accepts the key over plain HTTP,
// too.
func WithSSEC(keyBase64 string) func(*Object) {
	key, err := base64.StdEncoding.DecodeString(keyBase64)
	if err != nil {
		panic("s3test: customer key: " + err.Error())
	}
	return func(o *Object) { o.ssecKey = key }
}

// part returns the offset and the size of a part, counted from 1. An object of one PUT has one
// part.
func (o *Object) part(number int) (off, size int64, ok bool) {
	parts := o.Parts
	if parts == nil {
		parts = []int64{o.Size}
	}
	if number < 1 || number > len(parts) {
		return 0, 0, false
	}
	for _, n := range parts[:number-1] {
		off += n
	}
	return off, parts[number-1], true
}

// partChecksums returns the checksums of a part, counted from 1. For an object of one PUT they are
// those of the object.
func (o *Object) partChecksums(number int) map[string]string {
	switch {
	case o.Parts == nil:
		return o.Checksums
	case number <= len(o.PartChecksums):
		return o.PartChecksums[number-1]
	}
	return nil
}

func (o *Object) archived() bool {
	return o.StorageClass == "GLACIER" || o.StorageClass == "DEEP_ARCHIVE"
}
