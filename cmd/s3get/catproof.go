package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/checksum"
)

type proofKind int

const (
	proofNone  proofKind = iota // nothing verifies the bytes
	proofWhole                  // a digest of the whole object
	proofParts                  // checksums of its parts, which the library compares window by window
)

// proof verifies the bytes that cat writes.
type proof struct {
	kind     proofKind
	required bool
	hash     hash.Hash // of proofWhole
	encode   func([]byte) string
	name     string
	want     string
	part     int64 // of proofParts: the size of a part, if it is known
	missed   bool  // a window was not verified

	expected []expectation // of --checksum
}

// expectation is a digest that the caller knows.
type expectation struct {
	processpool.Checksum
	hash hash.Hash
}

// expect adds the digests that the bytes must have besides.
func (p *proof) expect(all digests) {
	for _, one := range all {
		p.expected = append(p.expected, expectation{one, checksum.Algorithm(one.Algorithm).New()})
	}
}

// proofOf chooses what verifies an object: a checksum of the whole, the strongest first, or those
// of its parts, or an ETag that is an MD5.
func proofOf(head *s3.HeadObjectOutput, mode processpool.VerifyMode) *proof {
	none := &proof{required: mode == processpool.VerifyRequired}
	if mode == processpool.VerifyOff {
		return none
	}
	composite := false
	for _, c := range []struct {
		algorithm checksum.Algorithm
		value     *string
	}{
		{checksum.SHA256, head.ChecksumSHA256}, {checksum.SHA512, head.ChecksumSHA512},
		{checksum.CRC64NVME, head.ChecksumCRC64NVME}, {checksum.CRC32C, head.ChecksumCRC32C},
		{checksum.CRC32, head.ChecksumCRC32}, {checksum.XXHASH128, head.ChecksumXXHASH128}, {checksum.XXHASH3, head.ChecksumXXHASH3},
		{checksum.XXHASH64, head.ChecksumXXHASH64}, {checksum.SHA1, head.ChecksumSHA1}, {checksum.MD5, head.ChecksumMD5},
	} {
		if c.value == nil || c.algorithm.Barred() {
			continue
		}
		stored, ok := checksum.Parse(c.algorithm, string(head.ChecksumType), *c.value)
		switch {
		case ok && stored.Kind == checksum.FullObject:
			return &proof{
				kind: proofWhole, required: none.required, hash: c.algorithm.New(), want: stored.Value,
				name: string(c.algorithm), encode: base64.StdEncoding.EncodeToString,
			}
		case ok:
			composite = true
		}
	}
	if composite {
		return &proof{kind: proofParts, required: none.required}
	}
	if stored, ok := checksum.ParseETag(aws.ToString(head.ETag)); ok && stored.Parts == 0 && !checksum.MD5.Barred() && mode != processpool.VerifyChecksums && !encrypted(head) {
		return &proof{
			kind: proofWhole, required: none.required, hash: checksum.MD5.New(), want: stored.Value,
			name: "the MD5 of the ETag", encode: hex.EncodeToString,
		}
	}
	return none
}

// encrypted reports whether the ETag is not an MD5 because of the encryption
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html).
func encrypted(head *s3.HeadObjectOutput) bool {
	return head.SSECustomerAlgorithm != nil || head.ServerSideEncryption != "" && head.ServerSideEncryption != types.ServerSideEncryptionAes256
}

// ofRange returns the proof of a part of the object: a digest of the whole is none.
func (p *proof) ofRange() *proof {
	if p.kind == proofWhole {
		return &proof{required: p.required}
	}
	return p
}

// window notes whether the library has verified a window.
func (p *proof) window(o processpool.Object) {
	if p.kind == proofParts && o.Verified == "" {
		p.missed = true
	}
}

// check returns what is wrong when all bytes have been written.
func (p *proof) check() error {
	for _, one := range p.expected {
		if got := base64.StdEncoding.EncodeToString(one.hash.Sum(nil)); got != one.Value {
			return fmt.Errorf("%w: %s is %s, and --checksum has %s", processpool.ErrChecksumMismatch, one.Algorithm, got, one.Value)
		}
	}
	switch {
	case p.kind == proofWhole:
		if got := p.encode(p.hash.Sum(nil)); got != p.want {
			return fmt.Errorf("%w: %s is %s, and S3 keeps %s", processpool.ErrChecksumMismatch, p.name, got, p.want)
		}
	case p.required && p.missed && len(p.expected) == 0:
		return fmt.Errorf("%w: the ranges do not coincide with the parts", processpool.ErrUnverifiable)
	}
	return nil
}
