package s3test

import (
	"encoding/base64"
	"io"
	"slices"
	"time"
)

// Object is one version of an object. Functions given to Put and PutContent
// may change it; once stored it does not change.
type Object struct {
	Bucket, Key  string
	Size         int64
	ETag         string // with its quotes; "" until Put has computed it
	VersionID    string // "" in a bucket without versioning
	LastModified time.Time

	// Checksums as S3 sends them, by the suffix of their header ("crc32c").
	Checksums     map[string]string
	ChecksumType  string              // FULL_OBJECT or COMPOSITE
	Parts         []int64             // part sizes of a multipart upload; nil = one PUT
	PartChecksums []map[string]string // by part, nil = none

	ContentType string            // default binary/octet-stream
	Header      map[string]string // further headers of the answer, e.g. Content-Encoding, x-amz-meta-a

	content      io.ReaderAt
	noETag       bool
	deleteMarker bool
	ssecKey      []byte
	alg, algType string // checksum to compute
}

// WithChecksum replaces the checksum of an object by one computed from its
// content: alg is crc64nvme, crc32c, crc32, sha1 or sha256, typ FULL_OBJECT
// or COMPOSITE (needs WithParts). ("", "") stands for none. A composite
// checksum comes with the checksums of the parts, as on S3.
func WithChecksum(alg, typ string) func(*Object) {
	return func(o *Object) { o.alg, o.algType = alg, typ }
}

// WithParts makes the object a multipart upload. The sizes must add up to the
// size of the object.
func WithParts(sizes ...int64) func(*Object) {
	return func(o *Object) { o.Parts = slices.Clone(sizes) }
}

// WithoutETag leaves the ETag header out of answers.
func WithoutETag() func(*Object) {
	return func(o *Object) { o.noETag = true }
}

// WithSSEC stores the object under a customer's key (base64): requests must
// present it. Its ETag is not an MD5 of the content, as on S3. Unlike S3 the
// origin takes the key over plain HTTP too.
func WithSSEC(keyBase64 string) func(*Object) {
	key, err := base64.StdEncoding.DecodeString(keyBase64)
	if err != nil {
		panic("s3test: customer key: " + err.Error())
	}
	return func(o *Object) { o.ssecKey = key }
}

// part returns offset and size of a part, counted from 1. An object of one
// PUT has one part.
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

// partChecksums returns those of a part, counted from 1; those of the object
// if it was one PUT.
func (o *Object) partChecksums(number int) map[string]string {
	switch {
	case o.Parts == nil:
		return o.Checksums
	case number <= len(o.PartChecksums):
		return o.PartChecksums[number-1]
	}
	return nil
}
