package s3test

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/cespare/xxhash/v2"
	"github.com/minio/crc64nvme"
	"github.com/zeebo/xxh3"
)

const (
	fullObject = "FULL_OBJECT"
	composite  = "COMPOSITE"
)

func newHash(alg string) hash.Hash {
	switch alg {
	case "crc64nvme":
		return crc64nvme.New()
	case "crc32c":
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "crc32":
		return crc32.NewIEEE()
	case "xxhash64":
		return xxhash.New()
	case "xxhash3":
		return xxh3.New()
	case "xxhash128":
		return xxh3.New128()
	case "sha1":
		return sha1.New()
	case "sha256":
		return sha256.New()
	case "sha512":
		return sha512.New()
	case "md5":
		return md5.New()
	}
	panic(fmt.Sprintf("s3test: unknown checksum algorithm %q", alg))
}

// digest returns the digest of size bytes of the content, starting at off.
func (o *Object) digest(alg string, off, size int64) []byte {
	h := newHash(alg)
	buf := make([]byte, 4<<10)
	if size > 4<<10 {
		pooled := buffers.Get().(*[]byte)
		defer buffers.Put(pooled)
		buf = *pooled
	}
	n, err := io.CopyBuffer(h, io.NewSectionReader(o.content, off, size), buf)
	if err != nil || n != size {
		panic(fmt.Sprintf("s3test: content of %s/%s ends after %d bytes: %v", o.Bucket, o.Key, off+n, err))
	}
	return h.Sum(nil)
}

// digests returns the digest of each part, and the digest of their concatenation, which is the
// composite checksum without its "-N".
func (o *Object) digests(alg string) (parts [][]byte, joined []byte) {
	h := newHash(alg)
	for i := range o.Parts {
		off, size, _ := o.part(i + 1)
		sum := o.digest(alg, off, size)
		h.Write(sum)
		parts = append(parts, sum)
	}
	return parts, h.Sum(nil)
}

// md5ETag returns the ETag that S3 assigns to an object without encryption.
func (o *Object) md5ETag() string {
	if o.Parts == nil {
		return `"` + hex.EncodeToString(o.digest("md5", 0, o.Size)) + `"`
	}
	_, sum := o.digests("md5")
	return o.etag(sum)
}

func (o *Object) etag(sum []byte) string {
	if o.Parts == nil {
		return `"` + hex.EncodeToString(sum) + `"`
	}
	return fmt.Sprintf(`"%x-%d"`, sum, len(o.Parts))
}

// computeChecksum computes the checksum that WithChecksum selected.
func (o *Object) computeChecksum() {
	b64 := base64.StdEncoding.EncodeToString
	switch {
	case o.alg == "" || o.Checksums != nil:
	case o.algType == composite:
		if o.Parts == nil {
			panic("s3test: a COMPOSITE checksum needs WithParts")
		}
		parts, sum := o.digests(o.alg)
		o.ChecksumType = composite
		o.Checksums = map[string]string{o.alg: fmt.Sprintf("%s-%d", b64(sum), len(parts))}
		if o.PartChecksums == nil {
			for _, p := range parts {
				o.PartChecksums = append(o.PartChecksums, map[string]string{o.alg: b64(p)})
			}
		}
	default:
		o.ChecksumType = fullObject
		o.Checksums = map[string]string{o.alg: b64(o.digest(o.alg, 0, o.Size))}
	}
	if o.Checksums != nil && o.ChecksumType == "" {
		o.ChecksumType = fullObject
	}
}
