// Package checksum knows the checksums S3 keeps for an object: how each is computed, how those of
// pieces downloaded in any order become that of the whole, and how S3 writes them down.
package checksum

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"hash/crc32"

	"github.com/minio/crc64nvme"
)

// Algorithm is a checksum algorithm by the name S3 gives it.
//
// S3 also keeps XXHASH64, XXHASH3 and XXHASH128; they are not known here, so an object that has
// nothing else is one whose bytes cannot be proved.
type Algorithm string

const (
	CRC64NVME Algorithm = "CRC64NVME"
	CRC32C    Algorithm = "CRC32C"
	CRC32     Algorithm = "CRC32"
	SHA1      Algorithm = "SHA1"
	SHA256    Algorithm = "SHA256"
	SHA512    Algorithm = "SHA512"
	MD5       Algorithm = "MD5" // what ETags are made of
)

// Combines reports whether the value of a whole follows from the values of its pieces, which is
// true of the CRCs and of nothing else here. Only such an algorithm has Update, Bytes and Combine.
func (a Algorithm) Combines() bool {
	switch a {
	case CRC64NVME, CRC32C, CRC32:
		return true
	}
	return false
}

// New returns a hash whose Sum is what S3 encodes, most significant byte first; nil for an
// unknown algorithm. The CRCs run on the processor's own instructions where it has them.
func (a Algorithm) New() hash.Hash {
	switch a {
	case CRC64NVME:
		return crc64nvme.New()
	case CRC32C:
		return crc32.New(castagnoli())
	case CRC32:
		return crc32.NewIEEE()
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

// Update continues crc, the CRC of what came before, with p. The CRC of nothing is 0.
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

// Bytes returns crc as S3 encodes it: 8 bytes of CRC64NVME, 4 of the others, most significant first.
func (a Algorithm) Bytes(crc uint64) []byte {
	switch a {
	case CRC64NVME:
		return binary.BigEndian.AppendUint64(nil, crc)
	case CRC32C, CRC32:
		return binary.BigEndian.AppendUint32(nil, uint32(crc))
	}
	panic(noCRC(a))
}

// size is the length of a digest in bytes, 0 for an unknown algorithm.
func (a Algorithm) size() int {
	switch a {
	case CRC64NVME:
		return crc64nvme.Size
	case CRC32C, CRC32:
		return crc32.Size
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

// castagnoli is asked for at each use and not kept in a variable, so that a process that never
// meets CRC32C does not build its tables; MakeTable builds them once and returns the same pointer.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func noCRC(a Algorithm) string { return "checksum: " + string(a) + " is not a CRC" }
