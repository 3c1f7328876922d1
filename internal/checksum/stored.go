package checksum

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
)

// Kind is what a stored checksum covers.
type Kind string

// The first two are S3's checksum types
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html).
const (
	FullObject Kind = "FULL_OBJECT" // the digest of the bytes
	Composite  Kind = "COMPOSITE"   // the digest of the digests of the parts
	ETag       Kind = "ETAG"        // the MD5 of the bytes, or of the MD5s of the parts
	Expected   Kind = "EXPECTED"    // the digest of the bytes, by the caller and not by S3
)

// Stored is a checksum that S3 stores for an object.
type Stored struct {
	Algorithm Algorithm
	Kind      Kind
	Value     string // base64 without -N; lower-case hex for an ETag
	Parts     int    // the N of value-N; 0: no suffix
}

// String describes the checksum without its value: "CRC64NVME full object", "SHA256 composite of 7
// parts", "MD5 ETag", "MD5 ETag of 7 parts", "SHA256 expected".
func (s Stored) String() string {
	text := string(s.Algorithm)
	switch s.Kind {
	case FullObject:
		text += " full object"
	case Composite:
		text += " composite"
	case ETag:
		text += " ETag"
	case Expected:
		text += " expected"
	default:
		text += " " + string(s.Kind)
	}
	switch {
	case s.Parts == 1:
		text += " of 1 part"
	case s.Parts > 1:
		text += " of " + strconv.Itoa(s.Parts) + " parts"
	}
	return text
}

// MatchCRC reports whether crc, the CRC of the received bytes, is the stored value. Only the CRC of
// a full object can match.
func (s Stored) MatchCRC(crc uint64) bool {
	return s.Algorithm.Combines() && s.MatchDigest(s.Algorithm.Bytes(crc))
}

// MatchDigest reports whether sum, the digest of the received bytes, is the stored value. Only the
// digest of a full object can match, one that is Expected, or the ETag of an object that was not
// uploaded in parts.
func (s Stored) MatchDigest(sum []byte) bool {
	switch s.Kind {
	case FullObject, Expected:
		return s.equal(sum)
	case ETag:
		return s.Parts == 0 && s.equal(sum)
	}
	return false
}

// MatchParts reports whether sums, the digests of the parts in order, match the stored value. Only
// a composite checksum can match, or the ETag of an object uploaded in parts. If the stored value
// states the number of parts, sums must have that length.
func (s Stored) MatchParts(sums [][]byte) bool {
	switch {
	case s.Kind == Composite:
	case s.Kind == ETag && s.Parts > 0:
	default:
		return false
	}
	if len(sums) == 0 || s.Parts > 0 && len(sums) != s.Parts {
		return false
	}
	h := s.Algorithm.New()
	if h == nil {
		return false
	}
	for _, sum := range sums {
		if len(sum) != s.Algorithm.Size() {
			return false
		}
		h.Write(sum)
	}
	return s.equal(h.Sum(nil))
}

func (s Stored) equal(sum []byte) bool {
	if len(sum) == 0 || len(sum) != s.Algorithm.Size() {
		return false
	}
	return s.Encode(sum) == s.Value
}

// Encode returns sum as the value of s is written: in base64, or in hex for an ETag.
func (s Stored) Encode(sum []byte) string {
	if s.Kind == ETag {
		return hex.EncodeToString(sum)
	}
	return base64.StdEncoding.EncodeToString(sum)
}
