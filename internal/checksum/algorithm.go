// Package checksum implements the checksums that S3 stores for an object: it computes them,
// combines the checksums of pieces downloaded in any order, and parses S3's encodings.
package checksum

import (
	"crypto/fips140"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"hash/crc32"

	"github.com/cespare/xxhash/v2"
	"github.com/minio/crc64nvme"
	"github.com/zeebo/xxh3"
)

// Algorithm is the name of a checksum algorithm, as S3 spells it
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Checksum.html).
type Algorithm string

const (
	CRC64NVME Algorithm = "CRC64NVME"
	CRC32C    Algorithm = "CRC32C"
	CRC32     Algorithm = "CRC32"
	XXHASH3   Algorithm = "XXHASH3"   // XXH3 of 64 bits, seed 0
	XXHASH128 Algorithm = "XXHASH128" // XXH3 of 128 bits, seed 0
	XXHASH64  Algorithm = "XXHASH64"  // XXH64, seed 0
	SHA1      Algorithm = "SHA1"
	SHA256    Algorithm = "SHA256"
	SHA512    Algorithm = "SHA512"
	MD5       Algorithm = "MD5" // also of ETags
)

// Algorithms are all of them, in the order of what they cost to compute.
var Algorithms = []Algorithm{
	CRC64NVME, CRC32C, CRC32, XXHASH3, XXHASH128, XXHASH64, SHA1, SHA256, MD5, SHA512,
}

// Combines reports whether the checksum of the whole can be computed from the checksums of its
// pieces. That is true of the CRCs only. Update, Bytes and Combine panic for any other algorithm.
func (a Algorithm) Combines() bool {
	switch a {
	case CRC64NVME, CRC32C, CRC32:
		return true
	}
	return false
}

// Known reports whether a is one of Algorithms.
func (a Algorithm) Known() bool { return a.Size() > 0 }

// Barred reports whether this process must not compute a: the standard library refuses MD5 and SHA1
// under GODEBUG=fips140=only (https://go.dev/doc/security/fips140).
func (a Algorithm) Barred() bool { return (a == MD5 || a == SHA1) && fips140.Enforced() }

// New returns a hash whose Sum has the byte order that S3 encodes, most significant byte first. It
// returns nil for an algorithm that is unknown or Barred. The CRCs, XXHASH3 and XXHASH128 use the
// processor's instructions for them where available.
func (a Algorithm) New() hash.Hash {
	if a.Barred() {
		return nil // its Sum would panic
	}
	switch a {
	case CRC64NVME:
		return crc64nvme.New()
	case CRC32C:
		return crc32.New(castagnoli())
	case CRC32:
		return crc32.NewIEEE()
	case XXHASH3:
		return xxh3.New()
	case XXHASH128:
		return xxh3.New128()
	case XXHASH64:
		return xxhash.New()
	case SHA1:
		return sha1.New()
	case SHA256:
		return sha256.New()
	case SHA512:
		return sha512.New()
	case MD5:
		return md5.New()
	}
	return nil
}

// Update adds p to crc, the CRC of the preceding bytes. The CRC of no bytes is 0.
func (a Algorithm) Update(crc uint64, p []byte) uint64 {
	switch a {
	case CRC64NVME:
		return crc64nvme.Update(crc, p)
	case CRC32C:
		return uint64(crc32.Update(uint32(crc), castagnoli(), p))
	case CRC32:
		return uint64(crc32.Update(uint32(crc), crc32.IEEETable, p))
	}
	panic(noCRC(a))
}

// Bytes returns crc in the byte order that S3 encodes, most significant byte first: 8 bytes for
// CRC64NVME, 4 for the others.
func (a Algorithm) Bytes(crc uint64) []byte {
	switch a {
	case CRC64NVME:
		return binary.BigEndian.AppendUint64(nil, crc)
	case CRC32C, CRC32:
		return binary.BigEndian.AppendUint32(nil, uint32(crc))
	}
	panic(noCRC(a))
}

// CRC is the inverse of Bytes. It returns false if p does not have the length of a CRC of a.
func (a Algorithm) CRC(p []byte) (crc uint64, ok bool) {
	if !a.Combines() || len(p) != a.Size() {
		return 0, false
	}
	for _, b := range p {
		crc = crc<<8 | uint64(b)
	}
	return crc, true
}

// Size returns the length of a digest in bytes, 0 for an unknown algorithm.
func (a Algorithm) Size() int {
	switch a {
	case CRC64NVME:
		return crc64nvme.Size
	case CRC32C, CRC32:
		return crc32.Size
	case XXHASH3, XXHASH64:
		return 8
	case XXHASH128:
		return 16
	case SHA1:
		return sha1.Size
	case SHA256:
		return sha256.Size
	case SHA512:
		return sha512.Size
	case MD5:
		return md5.Size
	}
	return 0
}

// castagnoli returns the table of CRC32C. It is not a variable, so a process that never uses CRC32C
// does not build the table. MakeTable builds it once and always returns the same pointer.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func noCRC(a Algorithm) string { return "checksum: " + string(a) + " is not a CRC" }
